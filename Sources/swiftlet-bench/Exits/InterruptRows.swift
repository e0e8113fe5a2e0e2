// Interrupts and timers, to the first instruction of the guest's handler, and rows that need a second thread.
//
// Read next: Impossible.swift.

import KVM
import Rig

extension ExitRows {
    var interrupts: [any Experiment] {
        rows("interrupt", "interrupt at an exit (KVM_INTERRUPT) to handler", .user) {
            $0.subject.note = "from the exit's return; handler is the ioctl"
            $0.plan = { $0.irqchip = .none }
            $0.answer = { exit, rig in exit.isWrite(to: RigMap.port) && interrupt(rig) }
            $0.evaluate = { trips, rig, warmUps throws(ExperimentError) in
                try Samples(wayIn: trips, of: rig, dropping: warmUps)
            }
        }
            + irqfd(.spinning, not: [.real: Impossible.lowAddresses])
            + irqfd(.halted, not: [.ring3: Impossible.privileged("HLT"), .real: Impossible.lowAddresses])
            + rows("timer", "timer lateness (APIC, one shot)", .kernel, not: [.real: Impossible.lowAddresses]) {
                $0.subject.note = "of 100 us; counted from before the write that arms it, so that write is in it"
                $0.measureLateness { _ in delay }
            }
            + rows("timer-deadline", "timer lateness (APIC, TSC deadline)", .kernel, not: Self.noDeadline) {
                $0.subject.note = "of 100 us; KVM may start early to be in time (lapic_timer_advance)"
                $0.measureLateness { $0.cycles(delay) }
            }
    }

    /// Not of KVM's alone: another thread rings, kicks or answers.
    var threads: [any Experiment] {
        CPUMode.allCases.map { SharedMemory(equipment, $0) } + CPUMode.allCases.map { Kick(equipment, $0) }
    }

    private func irqfd(_ waiting: IRQFD.Waiting, not: [CPUMode: String]) -> [any Experiment] {
        CPUMode.allCases.map { mode -> any Experiment in
            let row = IRQFD(equipment, mode, waiting)
            guard let reason = not[mode] else { return row }
            return Impossible(row.subject, because: reason)
        }
    }

    private static let noDeadline: [CPUMode: String] = [
        .ring3: Impossible.privileged("WRMSR"), .real: Impossible.lowAddresses,
    ]
}

/// Nanoseconds to the timer's deadline: KVM's local APIC counts them one by one.
private let delay: UInt64 = 100_000

/// Asks for an interrupt with the next run; false when KVM refuses.
private func interrupt(_ rig: borrowing Rig) -> Bool {
    do throws(KVMError) {
        try rig.vcpu.interrupt(vector: 0x40)
        return true
    } catch { return false }
}

extension RigExperiment {
    /// `operand` is the delay in the unit of the guest's timer.
    fileprivate mutating func measureLateness(_ operand: @escaping @Sendable (borrowing Rig) -> UInt64) {
        divisor = 10
        plan = { $0.usesLocalAPIC = true }
        self.operand = { rig throws(ExperimentError) in operand(rig) }
        evaluate = { trips, rig, warmUps throws(ExperimentError) in
            Samples(trips, lateBy: rig.cycles(delay), of: rig, dropping: warmUps)
        }
    }
}

extension Rig {
    /// Of the guest's TSC.
    func cycles(_ nanoseconds: UInt64) -> UInt64 {
        UInt64(Double(nanoseconds) * Double(tscFrequency) / 1e9)
    }
}
