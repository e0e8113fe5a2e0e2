// A run under somebody's hand: one thread for each vCPU from its first instruction to its last, which waits where the guest stops.
//
// The run loop knows nothing of it: a stop is a stop, a pause or a crash, and whoever has seen to it lets the loop go on. When one
// vCPU stops all do. The threads stay the same, because rings kick them. Read next: GuestState.swift.

import Host
import KVM
import Synchronization

package final class DebuggedRun: Sendable {
    package let machine: Machine
    private let vcpus: [DebuggedVCPU]

    /// The vCPUs wait in front of the guest's next instructions.
    package init(_ machine: Machine) throws(MachineError) {
        self.machine = machine
        machine.platform.processors?.isDebugged.store(true, ordering: .relaxed)
        var vcpus: [DebuggedVCPU] = []
        do throws(HostError) { try Thread.installKick() } catch { throw .host(error) }
        for vcpu in machine.vcpus { vcpus.append(try DebuggedVCPU(vcpu)) }
        self.vcpus = vcpus
    }

    /// Runs these vCPUs until one stops, and then all of them, or until `descriptor` is readable, which is a pause. -1: until one
    /// stops. Returns which it was, and how.
    package func resume(
        _ numbers: [Int], _ signals: borrowing StopSignals, watching descriptor: Int32
    ) -> (vcpu: Int, stop: Stop) {
        let control = machine.platform.control
        machine.platform.processors?.begin(numbers.count)
        for number in numbers { vcpus[number].start() }
        while true {
            let isStopping = control.requested != nil
            let (ended, signalled, called) = wait(
                for: WaitFor(machine.doneDescriptor), WaitFor(signals.fd), WaitFor(isStopping ? -1 : descriptor),
                nanoseconds: isStopping ? 10_000_000 : nil)
            if ended, machine.haveEnded { break }
            if signalled, let signal = signals.take() { control.request(signal: signal) }
            if called { control.requestPause() }
            if control.requested != nil { for number in numbers { vcpus[number].kick() } }
        }
        let number = numbers.count == 1 ? numbers[0] : machine.spokesmanIndex
        let vcpu = machine.vcpus[number]
        let stop = (machine.platform.devices?.outcome(vcpu) ?? vcpu.outcome).stop
        if !stop.isPauseOrCrash { return (number, stop) }
        control.endPause()
        return (number, control.requested ?? stop)  // a step may be over before the vCPU has seen that it should stop
    }

    /// How a vCPU's last run ended.
    package func stop(of number: Int) -> Stop { machine.vcpus[number].outcome.stop }

    /// Brings a vCPU to where the stop was, so that its registers are the guest's and the loop can go on behind it.
    package func settle(_ number: Int, _ stop: Stop) throws(KVMError) {
        try machine.vcpus[number].loop.withLock { loop throws(KVMError) in
            loop.vcpu.completePendingIO()
            loop.vcpu.immediateExit = false
            // Of an exception that came to a stub the guest's registers are those at the exception.
            if case .crashed(let crash) = stop, case .exception = crash.cause {
                try loop.vcpu.setRegisters(crash.registers.general)
                try loop.vcpu.restoreStackSegment(crash.registers.ss)
            }
            loop.context.cause = nil
            loop.context.stop = nil
        }
    }

    /// The debugger has left: a crash is the end from now on. Runs to it.
    package func runAlone(_ signals: borrowing StopSignals) -> Stop {
        machine.platform.processors?.isDebugged.store(false, ordering: .relaxed)
        return resume(Array(vcpus.indices), signals, watching: -1).stop
    }

    /// The end, with how it came.
    package func finish(_ stop: Stop) -> Outcome {
        machine.stopDevices()
        for vcpu in vcpus { vcpu.end() }
        let exits = machine.allOutcome.exits
        machine.spokesman.loop.withLock { $0.context.stop = stop }
        return machine.afterLastFlush(Outcome(stop: stop, exits: exits))
    }

    /// Before anything is told of it on standard error.
    package func beginNarration() {
        machine.vcpu.loop.withLock { $0.observer?.beginNarration(machine.platform) }
    }

    /// Tells the exit by which a vCPU came into our hand.
    package func tellLastExit(_ number: Int) {
        machine.vcpus[number].loop.withLock { loop in loop.observer?.tell(loop.vcpu, machine.platform) }
    }

    /// What was counted so far.
    package var exitText: String? { machine.exitText(machine.allOutcome) }
}

extension Stop {
    /// Behind which the guest can go on, or at least be looked at.
    package var isPauseOrCrash: Bool {
        switch self {
        case .paused, .crashed: true
        default: false
        }
    }
}

/// A vCPU's thread, which runs it when it is told to.
private final class DebuggedVCPU: Sendable {
    private let vcpu: VCPUThread
    /// It is to run, or the end has come.
    private let go: EventFD
    private let isOver = Atomic(false)
    private let thread = Mutex<Thread?>(nil)

    init(_ vcpu: VCPUThread) throws(MachineError) {
        self.vcpu = vcpu
        go = try fromKVM(try EventFD())
        do throws(HostError) {
            try thread.withLock { slot throws(HostError) in slot = try Thread { self.serve() } }
        } catch { throw .host(error) }
    }

    private func serve() {
        while true {
            _ = wait(for: WaitFor(go.fd), nanoseconds: nil)
            if isOver.load(ordering: .acquiring) { return }
            if go.take() > 0 { vcpu.run() }
        }
    }

    func start() {
        _ = vcpu.done.take()
        go.signal()
    }

    func kick() { thread.withLock { $0?.kick() } }

    func end() {
        isOver.store(true, ordering: .releasing)
        go.signal()
        thread.withLock { thread in if let ended = thread.take() { ended.join() } }
    }
}
