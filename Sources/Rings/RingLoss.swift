// What a guest that has ended by itself will never hear of its ring: output that failed, or that was not done in time.
//
// A guest may submit its last words and exit. Then nobody takes the answers, and a failure in them would be lost with the
// data: so the machine's end tells it. A disk's is the disk's to tell, with what its last flush finds (VMM/LastFlush.swift); a
// console's ends the machine as a call's would have. Frames get lost on any network. Read next: Ring.swift.

import CABI
import Devices
import Glibc

enum RingLoss {
    /// An answer that says that output failed.
    struct Failure: Sendable {
        var entry: RingEntry
        var errno: Int32
        /// How many answers were given before it.
        var number: UInt32
    }

    static let console = "writing what the guest had left in a ring to its console"
}

extension RingEntry {
    fileprivate var isOutput: Bool {
        [SWIFTLET_BLOCK_WRITE, SWIFTLET_BLOCK_FLUSH, SWIFTLET_CONSOLE_WRITE].contains(operation)
    }
}

extension RingCrank {
    /// Of each device the last is kept: who has taken it has taken those before.
    mutating func note(_ entry: RingEntry, _ answer: RingAnswer) {
        guard entry.isOutput else { return }
        let errno: Int32
        switch answer.result {
        case SWIFTLET_IO_ERROR: errno = EIO
        case SWIFTLET_NO_SPACE: errno = ENOSPC
        default: return  // the guest's own mistake
        }
        failures.removeAll { $0.entry.device == entry.device }
        failures.append(RingLoss.Failure(entry: entry, errno: errno, number: queue.completionTail))
    }

    /// When the ring will turn no more and its guest has ended by itself: the failure that is not a disk's.
    mutating func tellLosses() -> RingFailure? {
        var failure: RingFailure?
        for lost in failures where queue.isUntaken(lost.number) { tell(lost.entry, lost.errno, &failure) }
        for disk in disks { for entry in disk?.interrupted ?? [] { left(entry, &failure) } }
        // It keeps its slot, so `next` gives it again.
        while case .entry(let entry) = queue.next() {
            left(entry, &failure)
            queue.release()
        }
        return failure
    }

    private func left(_ entry: RingEntry, _ failure: inout RingFailure?) {
        if entry.isOutput { tell(entry, ETIME, &failure) }
    }

    private func tell(_ entry: RingEntry, _ errno: Int32, _ failure: inout RingFailure?) {
        if entry.operation == SWIFTLET_CONSOLE_WRITE {
            failure = failure ?? .deviceFailed(RingLoss.console, errno: errno)
        } else if entry.device < UInt32(disks.count) {
            disks[Int(entry.device)]?.noteUntold(errno: errno)
        }
    }
}
