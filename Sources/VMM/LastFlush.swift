// The end of a machine with disks: what its guest has written and never flushed is flushed, for the page cache's errors are
// told to nobody else (a full file system below, a disk that breaks).
//
// Rings tell the same of their consoles. It costs one fdatasync(2) for each disk that was written to since its last flush, and nothing otherwise: docs/devices.md,
// "What is promised". Read next: Conclusion.swift.

import Devices
import Host

extension Machine {
    /// How the run ended when that is known: an exit of the guest's own becomes the error that it is.
    func afterLastFlush(_ outcome: Outcome) -> Outcome {
        var end = outcome.stop
        var loss = outcome.loss
        if let (disk, errno) = lost() {
            let part = "making permanent what was written to \(disk.words)"
            if case .exited = end { end = .hostFailed(part, errno: errno) } else { loss = failure(part, errno) }
        } else if case .exited = end, let stop = platform.devices?.loss {
            end = stop
        }
        return Outcome(stop: end, exits: outcome.exits, loss: loss)
    }

    /// All are flushed; of those that fail, one is named.
    private func lost() -> (BlockDevice, errno: Int32)? {
        var lost: (BlockDevice, Int32)?
        for disk in platform.hvt?.disks ?? platform.kernel?.bus.disks ?? platform.devices?.disks ?? [] {
            if let errno = disk.finish() { lost = lost ?? (disk, errno) }
        }
        return lost
    }
}
