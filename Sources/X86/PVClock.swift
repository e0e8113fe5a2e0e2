// The clock that guest and VMM share: nanoseconds since the machine started, computed from the TSC by both alike.
//
// A guest reads the TSC natively, so telling the time costs no exit. Scale as in Linux's pvclock (msr.rst).
// Read next: CABI/swiftlet_call_page.h.

/// A TSC scale: `(delta << shift) * multiplier >> 32` is nanoseconds.
public struct PVClock: Equatable, Sendable {
    public let multiplier: UInt32
    public let shift: Int8

    /// For a TSC of `frequency` Hz, 1 kHz to 2^63.
    public init(frequency: UInt64) {
        // Bring the frequency into (10^9, 2 * 10^9] by shifts, so that the multiplier keeps 32 significant bits.
        var rate = max(frequency, 1000)
        var shift: Int8 = 0
        while rate > 2_000_000_000 {
            rate >>= 1
            shift -= 1
        }
        while rate <= 1_000_000_000 {
            rate <<= 1
            shift += 1
        }
        // For an exact multiplier scale the nanoseconds, not the rounded rate.
        let exact =
            shift < 0
            ? (UInt64(1_000_000_000) << UInt64(-shift)).multipliedFullWidth(by: 1 << 32)
            : UInt64(1_000_000_000).multipliedFullWidth(by: 1 << 32)
        let divisor = shift < 0 ? max(frequency, 1000) : max(frequency, 1000) << UInt64(shift)
        multiplier = UInt32(truncatingIfNeeded: divisor.dividingFullWidth(exact).quotient)
        self.shift = shift
    }

    /// Nanoseconds in that many TSC cycles.
    @inlinable @inline(__always)
    public func nanoseconds(cycles: UInt64) -> UInt64 {
        // The shift is between -34 and 20, so masking shifts are exact.
        let amount = UInt64(truncatingIfNeeded: shift)
        let scaled = shift < 0 ? cycles &>> (0 &- amount) : cycles &<< amount
        return UInt64(truncatingIfNeeded: (UInt128(scaled) &* UInt128(multiplier)) &>> 32)
    }
}
