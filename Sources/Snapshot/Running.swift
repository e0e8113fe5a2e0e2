// A run that writes a snapshot whenever the guest or a signal asks for one, and goes on, or ends with the first.
//
// Read next: FailureNote.swift.

import Host
import VMM

extension Machine {
    /// Runs the guest until it stops, as `run` does. Where snapshots go is in the configuration; a machine without one
    /// never pauses. One that cannot be written is told, noted in `failures`, and the guest goes on.
    public func runSaving(
        signals: borrowing StopSignals, keyboard: consuming Keyboard? = nil, failures: FailureNote? = nil
    ) throws(MachineError) -> Outcome {
        // A wish that comes when the run is over is too late, and no reason to die of it.
        defer { if configuration.snapshot != nil { ignoreSnapshotSignal() } }
        var keyboard = keyboard
        var series: SnapshotSeries?
        let deadline = configuration.timeout.map { Clock.monotonic() &+ $0 }
        while true {
            let outcome = try run(signals, &keyboard, until: deadline)
            guard case .paused(let byGuest) = outcome.stop, let path = configuration.snapshot else { return outcome }
            if series == nil, configuration.savesIncrements { series = SnapshotSeries(path) }
            do throws(SnapshotError) {
                try saveAndTell(path, byGuest, series)
                if configuration.endsWithSnapshot { return outcome }
            } catch {
                let reason = error.about(path).message
                failures?.write(reason)
                tell("no snapshot: \(reason)")
            }
            platform.control.endPause()
        }
    }

    /// `conclude`; but a run that was to end with its snapshot, and whose guest ended without one, is an error: a script
    /// goes on with a file that is not there, or is an old one.
    public func concludeSaving(_ outcome: Outcome) -> Int32 {
        let status = conclude(outcome)
        guard configuration.endsWithSnapshot, case .exited = outcome.stop else { return status }
        tell("no snapshot was written (--snapshot-exit), and the guest exited with \(status)")
        return Stop.errorStatus
    }

    private func saveAndTell(
        _ path: String, _ byGuest: Bool, _ series: SnapshotSeries?
    ) throws(SnapshotError) {
        let saved: SavedSnapshot
        if let series {
            saved = try series.save(self, byGuest: byGuest)
        } else {
            saved = try save(to: path, byGuest: byGuest)
        }
        if configuration.quiet { return }
        let time = "\(saved.nanoseconds / 1_000_000).\(saved.nanoseconds / 100_000 % 10) ms"
        let how = saved.parent.map { ", on top of \($0)" } ?? saved.whyWhole.map { ", whole: \($0)" } ?? ""
        tell("snapshot written to \(path) (\(saved.fileSize >> 10) KiB, \(time)\(how))")
    }

    private func tell(_ text: String) { writeText("swiftlet: \(printable(text))\n", patience: lastWordPatience) }
}
