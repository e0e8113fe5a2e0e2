// The shared clock against exact arithmetic in 128 bits, for every kind of TSC there is.
//
// Read next: GuestMemoryTests.

import Testing

@testable import X86

@Suite struct PVClockTests {
    static let frequencies: [UInt64] =
        [
            1000, 999_999, 1_000_000, 24_000_000, 999_999_999, 1_000_000_000, 1_000_000_001, 1_999_999_999,
            2_000_000_000, 2_000_000_001, 2_445_406_000, 2_593_905_000, 3_999_999_999, 4_000_000_000, 4_000_000_003,
            5_000_000_000, 8_000_000_001, 1 << 40, 1 << 62, (1 << 63) - 1,
        ] + (UInt64(0)..<100).map { 800_000_000 + $0 * 43_217_891 }

    /// Cycles for a microsecond to a year, as far as 64 bits hold them.
    private static func cycles(_ frequency: UInt64) -> [UInt64] {
        ([0, 1, 2, 999, 12345] as [UInt64]).flatMap { few in
            ([0, 1, 60, 86_400, 31_536_000] as [UInt64]).compactMap { seconds in
                let (product, overflow) = frequency.multipliedReportingOverflow(by: seconds)
                return overflow || product > .max - few ? nil : product + few
            }
        }
    }

    @Test(arguments: frequencies)
    func nanosecondsAreRightToAFewPartsInABillion(frequency: UInt64) {
        let clock = PVClock(frequency: frequency)
        for cycles in Self.cycles(frequency) where clock.shift < 0 || cycles < UInt64.max >> UInt64(clock.shift) {
            let exact = UInt128(cycles) * 1_000_000_000 / UInt128(frequency)
            let told = UInt128(clock.nanoseconds(cycles: cycles))
            #expect(told <= exact + 1, "never ahead")
            #expect(exact - min(told, exact) <= exact >> 30 + 2)
        }
    }

    @Test(arguments: frequencies)
    func multiplierHasItsFullPrecision(frequency: UInt64) {
        #expect(PVClock(frequency: frequency).multiplier >= 1 << 31 - 2)
    }

    @Test(arguments: frequencies)
    func timeNeverGoesBack(frequency: UInt64) {
        let clock = PVClock(frequency: frequency)
        var last: UInt64 = 0
        for cycles in stride(from: UInt64(0), to: 100_000, by: 7) {
            let now = clock.nanoseconds(cycles: cycles)
            #expect(now >= last)
            last = now
        }
    }

    /// Guests compute it with shifts and one multiplication, in C: docs/ABI.md, "Clock".
    @Test func guestsFormulaGivesTheSame() {
        for frequency in Self.frequencies {
            let clock = PVClock(frequency: frequency)
            for cycles: UInt64 in [1, 1_000_003, 7_777_777_777] {
                let delta = clock.shift < 0 ? cycles >> UInt64(-clock.shift) : cycles << UInt64(clock.shift)
                let formula = UInt64(truncatingIfNeeded: (UInt128(delta) * UInt128(clock.multiplier)) >> 32)
                #expect(clock.nanoseconds(cycles: cycles) == formula)
            }
        }
    }

    @Test func noFrequencyAtAllIsTakenForAKilohertz() {
        #expect(PVClock(frequency: 0) == PVClock(frequency: 1000))
    }
}
