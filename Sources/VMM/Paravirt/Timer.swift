// The timer call, and interrupts: one shot, one vector, delivered when the guest's mask word allows. docs/ABI.md, "timer".
//
// The deadline kicks the vCPU out of the guest; the run loop then asks `interruptToInject`. Masking is a word in the
// call page, because cli and sti are privileged: the VMM sets it at injection as a CPU clears IF, and sets the pending
// word when it had to hold an interrupt back. Read next: FaultAddress.swift.

import CABI
import GuestMemory
import Host
import X86

/// The guest's timer.
package struct GuestTimer: ~Copyable {
    /// Clock time in ns; `SWIFTLET_NO_DEADLINE` when not armed.
    package var deadline = UInt64(SWIFTLET_NO_DEADLINE) {
        didSet { if isArmed { isWatched = true } }
    }
    /// Whether an interrupt, also a ring's, may have to be delivered behind a call.
    fileprivate(set) var isWatched = false
    package var vector: UInt8 = 0
    /// Made with the first deadline.
    fileprivate var kick: KickTimer?

    var isArmed: Bool { deadline != UInt64(SWIFTLET_NO_DEADLINE) }

    /// Has the calling thread kicked when the deadline comes.
    mutating func arm(nanoseconds: UInt64?) throws(HostError) {
        if kick == nil { kick = try KickTimer() }
        kick?.arm(nanoseconds: nanoseconds)
    }
}

extension VCPUContext {
    mutating func armTimer() -> Action {
        let call = arguments(swiftlet_timer.self)
        guard let vector = UInt8(exactly: call.vector), vector >= 32 else {
            return misuse("timer: vector \(call.vector) is not in 32...255")
        }
        guard handled[Int(vector)] else { return misuse("timer: vector \(vector) has no handler") }
        timer.deadline = call.deadline
        timer.vector = vector
        pending.store(0)
        do throws(HostError) {
            try timer.arm(nanoseconds: platform.clock.remaining(until: call.deadline))
        } catch {
            return end(.hostFailed("the host's timer", errno: error.errno))
        }
        return .resume
    }

    /// After a kick: the timer's comes by the host's monotonic clock, the deadline is judged by the TSC, and the two drift
    /// apart (NTP). A kick that came before the deadline must not have been the last; a ring's may have been cleared with it.
    mutating func kickAgainIfEarly() {
        if isRingDue { timer.isWatched = true }
        guard timer.isArmed, let left = platform.clock.remaining(until: timer.deadline), left > 0 else { return }
        try? timer.arm(nanoseconds: left)
    }

    /// When the timer ends a wait: not while the guest holds its interrupt back.
    @inline(__always)
    var interruptDeadline: UInt64 { masked.load() == 0 ? timer.deadline : UInt64(SWIFTLET_NO_DEADLINE) }

    /// At the start of the vCPU's thread: a kick timer is the thread's that made it.
    mutating func takeTimerAlong() {
        timer.kick = nil
        if timer.isArmed { try? timer.arm(nanoseconds: platform.clock.remaining(until: timer.deadline)) }
    }

    /// Called when an interrupt may be due: the vector to inject now, if the guest's mask allows it.
    mutating func interruptToInject() -> UInt8? {
        let isTimer = timer.isArmed && platform.clock.remaining(until: timer.deadline) == 0
        guard isTimer || isRingDue else {
            timer.isWatched = timer.isArmed
            return nil
        }
        if masked.load() != 0 {
            timer.isWatched = true
            pending.store(1)
            return nil
        }
        masked.store(1)
        if isTimer { timer.deadline = UInt64(SWIFTLET_NO_DEADLINE) }
        let vector = isTimer ? timer.vector : takeRingInterrupt()
        timer.isWatched = timer.isArmed || isRingDue
        pending.store(isRingDue ? 1 : 0)
        return vector
    }
}
