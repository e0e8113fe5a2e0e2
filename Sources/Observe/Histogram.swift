// A histogram of any 64-bit value in a few KiB: counts and percentiles of millions of exits, without keeping one of them.
//
// Log-linear, as HdrHistogram's: each power of two is cut into 64 equal buckets, so a bucket is at most 1/64 of its value
// wide, and its middle at most 0.8 % off. Below 128 every value has a bucket of its own. Read next: ExitTable.swift.

/// Recording costs a handful of instructions; memory grows to the largest value's bucket, 30 KiB at most.
public struct Histogram: Equatable, Sendable {
    private var buckets: [UInt64] = []
    /// Values recorded.
    public private(set) var count: UInt64 = 0
    /// Their sum, exact until it wraps.
    public private(set) var total: UInt64 = 0
    /// Exact; both are 0 without a value.
    public private(set) var smallest: UInt64 = 0
    public private(set) var largest: UInt64 = 0

    public init() {}

    public mutating func record(_ value: UInt64) {
        let index = Self.bucket(of: value)
        while buckets.count <= index { buckets.append(0) }
        buckets[index] &+= 1
        smallest = count == 0 ? value : min(smallest, value)
        largest = max(largest, value)
        count &+= 1
        total &+= value
    }

    /// Adds another's values.
    public mutating func add(_ other: Histogram) {
        if other.count == 0 { return }
        while buckets.count < other.buckets.count { buckets.append(0) }
        for (index, many) in other.buckets.enumerated() { buckets[index] &+= many }
        smallest = count == 0 ? other.smallest : min(smallest, other.smallest)
        largest = max(largest, other.largest)
        count &+= other.count
        total &+= other.total
    }

    /// The nearest-rank percentile: a value that at least that part of all (0 to 1) do not exceed, within 0.8 %.
    public func percentile(_ part: Double) -> UInt64 {
        let rank = UInt64(max(1, (part * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, many) in buckets.enumerated() {
            seen += many
            if seen >= rank { return min(max(Self.middle(of: index), smallest), largest) }
        }
        return largest
    }

    /// The values that share a power of two have `shift` in common, and differ in the six bits below the first.
    private static func bucket(of value: UInt64) -> Int {
        if value < 128 { return Int(value) }
        let shift = 57 - value.leadingZeroBitCount
        return shift << 6 + Int(value >> UInt64(shift))
    }

    private static func middle(of index: Int) -> UInt64 {
        if index < 128 { return UInt64(index) }
        let shift = UInt64(index >> 6 - 1)
        return UInt64(index & 63 | 64) << shift + (1 << shift) / 2
    }
}
