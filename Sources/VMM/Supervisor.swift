// The main thread while the guest runs: it waits for signals, the time limit, the keyboard and the end, and kicks.
//
// After a stop was asked for it kicks again every 10 ms until the vCPU has ended: so a kick that falls between a check
// and a blocking system call costs 10 ms, never a hang. Read next: StopControl.swift, RunLoop.swift.

import Backing
import Host
import Observe

/// How a run ended, and what was counted.
public struct Outcome: Sendable {
    public let stop: Stop
    /// Of an observed run.
    let exits: ExitTable?
    /// What was lost besides, in words: a disk could not be flushed at the end.
    var loss: String?
}

extension Machine {
    /// Runs the guest until it stops. Stop signals must have been blocked before (StopSignals).
    public func run(
        signals: borrowing StopSignals, keyboard: consuming Keyboard? = nil
    ) throws(MachineError) -> Outcome {
        var keyboard = keyboard
        return try run(signals, &keyboard, until: configuration.timeout.map { Clock.monotonic() &+ $0 })
    }

    /// The same, and again after a pause; the deadline is of the monotonic clock.
    package func run(
        _ signals: borrowing StopSignals, _ keyboard: inout Keyboard?, until deadline: UInt64?
    ) throws(MachineError) -> Outcome {
        do throws(HostError) {
            try Thread.installKick()
            let companions = try startOthers()
            let thread = try startFirst(companions)
            supervise(thread, companions, signals, &keyboard, deadline)
            stopDevices()
            thread.join()
            for other in companions { other.join() }
        } catch { throw .host(error) }
        // A lost page has read as zeros, which counts for nothing, or it was the end of the guest or of a call.
        let outcome = afterLastFlush(platform.devices?.outcome(spokesman) ?? allOutcome)
        let wasLost = platform.store?.pageWasLost == true || text?.pageWasLost == true
        let isSuspect = wasLost || ["error", "crash"].contains(outcome.stop.kind)
        guard isSuspect, isCutShort else { return outcome }
        return Outcome(stop: .memoryLost, exits: outcome.exits, loss: outcome.loss)
    }

    /// When no vCPU will run any more.
    func stopDevices() {
        platform.devices?.stop(finishing: platform.control.isGuestsOwnEnd)
        platform.kernel?.bus.stop()
    }

    /// Whether a file under its memory lost pages.
    package var isCutShort: Bool { platform.memoryLost != nil || text?.isCutShort == true }

    private func supervise(
        _ thread: borrowing Thread, _ companions: [KeptThread], _ signals: borrowing StopSignals,
        _ keyboard: inout Keyboard?, _ deadline: UInt64?
    ) {
        let kickInterval: UInt64 = 10_000_000
        // A page that is gone may have KVM try for ever to get it: so the file is looked at, four times a second.
        let fileInterval: UInt64 = 250_000_000
        let isInFile = text != nil || platform.store?.backing.path != nil
        while true {
            let stopping = platform.control.requested != nil
            var left = stopping ? kickInterval : deadline.map { time in time - min(time, Clock.monotonic()) }
            if isInFile { left = min(left ?? fileInterval, fileInterval) }
            let keys = keyboard?.keys
            let (ended, signalled, typed) = wait(
                for: WaitFor(doneDescriptor), WaitFor(signals.fd), keys, nanoseconds: left)
            if ended, haveEnded { return }
            if signalled, let signal = signals.take() {
                let isWish = configuration.snapshot != nil && signal == snapshotSignal
                if isWish { platform.control.requestPause() } else { platform.control.request(signal: signal) }
            }
            if typed, keyboard?.pump() == true { platform.control.request(signal: interruptSignal) }
            if let deadline, Clock.monotonic() >= deadline { platform.control.requestTimeout() }
            if isInFile, isCutShort { platform.control.requestMemoryLost() }
            if platform.control.requested != nil { kick(thread, companions) }
        }
    }
}
