// The machine's time: nanoseconds since it was built, the same number for the guest and for us.
//
// Both sides compute it from the TSC with one scale, so a deadline means the same to both. On VT-x and SVM the guest's
// TSC has an offset to the host's, which is why it is read once through KVM. Read next: Paravirt/Poll.swift.

import CABI
import Host
import KVM
import X86

/// A running clock.
package struct MachineClock: Sendable {
    package let frequency: UInt64
    private let scale: PVClock
    let hostStart: UInt64
    let guestStart: UInt64

    private static let tscMSR: UInt32 = 0x10  // IA32_TIME_STAMP_COUNTER (Intel SDM vol. 4)

    /// Starts now, at zero, or where another clock was: it began that many cycles ago then.
    package init(_ vcpu: borrowing VCPU, startingAt nanoseconds: UInt64 = 0) throws(KVMError) {
        let frequency = UInt64(try vcpu.tscKilohertz()) * 1000
        let before = Clock.tsc()
        let guest = try vcpu.msr(Self.tscMSR)
        let cycles = frequency.multipliedFullWidth(by: nanoseconds)
        let age = nanoseconds == 0 ? 0 : UInt64(1_000_000_000).dividingFullWidth(cycles).quotient &+ 1
        let host = before + (Clock.tsc() - before) / 2
        self.init(frequency: frequency, hostStart: host &- age, guestStart: guest &- age)
    }

    init(frequency: UInt64, hostStart: UInt64, guestStart: UInt64) {
        self.frequency = frequency
        scale = PVClock(frequency: frequency)
        self.hostStart = hostStart
        self.guestStart = guestStart
    }

    /// Of the TSC since the start.
    var cycles: UInt64 { Clock.tsc() &- hostStart }

    package func now() -> UInt64 { time(at: Clock.tsc()) }

    /// What the clock showed at a count of the host's TSC.
    func time(at tsc: UInt64) -> UInt64 {
        let cycles = tsc &- hostStart
        return cycles > .max >> 1 ? 0 : scale.nanoseconds(cycles: cycles)
    }

    /// What is left until a deadline: 0 when it has passed, nil for `SWIFTLET_NO_DEADLINE`.
    func remaining(until deadline: UInt64) -> UInt64? {
        if deadline == UInt64(SWIFTLET_NO_DEADLINE) { return nil }
        let now = now()
        return deadline <= now ? 0 : deadline - now
    }

    /// Invariant TSC (CPUID 0x80000007, EDX bit 8; Intel SDM vol. 3B, 18.17.1).
    private var isStable: Bool { Processor.cpuid(0x8000_0007).edx & 1 << 8 != 0 }

    /// The clock as the guest reads it in its call page.
    package var page: swiftlet_clock {
        var clock = swiftlet_clock()
        clock.version = 2
        clock.tsc_timestamp = guestStart
        clock.tsc_to_system_mul = scale.multiplier
        clock.tsc_shift = scale.shift
        clock.flags = isStable ? UInt8(SWIFTLET_CLOCK_STABLE) : 0
        return clock
    }
}
