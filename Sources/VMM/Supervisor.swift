// The main thread while the guest runs: it waits for signals, the time limit, the keyboard and the end, and kicks.
//
// After a stop was asked for it kicks again every 10 ms until the vCPU has ended: so a kick that falls between a check
// and a blocking system call costs 10 ms, never a hang. Read next: StopControl.swift, RunLoop.swift.

import Host

/// How a run ended, and what it counted.
public struct Outcome: Sendable {
    public let stop: Stop
    let statistics: Statistics
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
            let thread = try vcpu.start()
            supervise(thread, signals, &keyboard, deadline)
            thread.join()
        } catch { throw .host(error) }
        return vcpu.outcome
    }

    private func supervise(
        _ thread: borrowing Thread, _ signals: borrowing StopSignals, _ keyboard: inout Keyboard?, _ deadline: UInt64?
    ) {
        let kickInterval: UInt64 = 10_000_000
        while true {
            let stopping = platform.control.requested != nil
            let left = stopping ? kickInterval : deadline.map { time in time - min(time, Clock.monotonic()) }
            let keys = keyboard?.keys
            let (ended, signalled, typed) = wait(
                for: WaitFor(vcpu.done.fd), WaitFor(signals.fd), keys, nanoseconds: left)
            if ended { return }
            if signalled, let signal = signals.take() {
                let isWish = configuration.snapshot != nil && signal == snapshotSignal
                if isWish { platform.control.requestPause() } else { platform.control.request(signal: signal) }
            }
            if typed, keyboard?.pump() == true { platform.control.request(signal: interruptSignal) }
            if let deadline, Clock.monotonic() >= deadline { platform.control.requestTimeout() }
            if platform.control.requested != nil { thread.kick() }
        }
    }
}
