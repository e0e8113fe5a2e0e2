// A run under somebody's hand: one thread for the vCPU from its first instruction to its last, which waits where the guest stops.
//
// The run loop knows nothing of it: a stop is a stop, a pause or a crash, and whoever has seen to it lets the loop go on. The
// thread stays the same, because rings kick it. Read next: GuestState.swift.

import Host
import KVM
import Synchronization

package final class DebuggedRun: Sendable {
    package let machine: Machine
    /// The vCPU is to run, or the end has come.
    private let go: EventFD
    private let isOver = Atomic(false)
    private let thread = Mutex<Thread?>(nil)

    /// The vCPU waits in front of the guest's next instruction.
    package init(_ machine: Machine) throws(MachineError) {
        self.machine = machine
        go = try fromKVM(try EventFD())
        do throws(HostError) {
            try Thread.installKick()
            try thread.withLock { slot throws(HostError) in slot = try Thread { self.serve() } }
        } catch { throw .host(error) }
    }

    private func serve() {
        while true {
            _ = wait(for: WaitFor(go.fd), nanoseconds: nil)
            if isOver.load(ordering: .acquiring) { return }
            if go.take() > 0 { machine.vcpu.run() }
        }
    }

    /// Runs the guest until it stops, or until `descriptor` is readable, which is a pause. -1: until it stops.
    package func resume(_ signals: borrowing StopSignals, watching descriptor: Int32) -> Stop {
        let control = machine.platform.control
        _ = machine.vcpu.done.take()
        go.signal()
        while true {
            let isStopping = control.requested != nil
            let (ended, signalled, called) = wait(
                for: WaitFor(machine.vcpu.done.fd), WaitFor(signals.fd), WaitFor(isStopping ? -1 : descriptor),
                nanoseconds: isStopping ? 10_000_000 : nil)
            if ended { break }
            if signalled, let signal = signals.take() { control.request(signal: signal) }
            if called { control.requestPause() }
            if control.requested != nil { thread.withLock { $0?.kick() } }
        }
        let stop = (machine.platform.devices?.outcome(machine.vcpu) ?? machine.vcpu.outcome).stop
        if case .paused = stop { control.endPause() }
        return stop
    }

    /// Brings the vCPU to where the stop was, so that its registers are the guest's and the loop can go on behind it.
    package func settle(_ stop: Stop) throws(KVMError) {
        try machine.vcpu.loop.withLock { loop throws(KVMError) in
            loop.vcpu.completePendingIO()
            loop.vcpu.immediateExit = false
            // Of an exception that came to a stub the guest's registers are those at the exception.
            if case .crashed(let crash) = stop, case .exception = crash.cause {
                try loop.vcpu.setRegisters(crash.registers.general)
            }
            loop.context.cause = nil
            loop.context.stop = nil
        }
    }

    /// The end, with how it came.
    package func finish(_ stop: Stop) -> Outcome {
        machine.platform.devices?.stop()
        isOver.store(true, ordering: .releasing)
        go.signal()
        thread.withLock { thread in if let ended = thread.take() { ended.join() } }
        let exits = machine.vcpu.outcome.exits
        machine.vcpu.loop.withLock { $0.context.stop = stop }
        return Outcome(stop: stop, exits: exits)
    }

    /// What was counted so far.
    package var exitText: String? { machine.exitText(machine.vcpu.outcome) }
}
