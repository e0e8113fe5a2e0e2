// Where the true median lies, from what several repeats found.
//
// Over the repeats and never over the samples of one: within a run of 10,000 exits the interval is 0.1 % wide, while two
// runs differ by 3 % (measured). By order statistics: exact, whatever the distribution (David and Nagaraja, Order
// Statistics, section 7.1). It asks for one thing: repeats that do not depend on each other. A host that drifts slowly makes
// neighbours alike; the interval is then too narrow, and that of a ratio less so. Read next: Ratio.swift.

/// A median and its confidence interval of at least 95 %.
public struct Interval: Equatable, Sendable, Codable {
    public let n: Int
    public let median: Double
    public let low: Double
    public let high: Double

    /// What every interval is; one that was read from a file may not be.
    public var isSound: Bool {
        n >= 1 && [median, low, high].allSatisfy(\.isFinite) && low <= median && median <= high
    }

    /// Nil without a value.
    public init?(of values: [Double]) {
        let sorted = values.sorted()
        if sorted.isEmpty { return nil }
        n = sorted.count
        median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2
        let outside = Self.ranksOutside(n)
        low = sorted[outside]
        high = sorted[n - 1 - outside]
    }

    /// Whether the two could be one and the same.
    public func overlaps(_ other: Interval) -> Bool { low <= other.high && other.low <= high }

    /// How many values may lie outside the interval at each end, so that it holds the true median in at least 95 % of all
    /// cases: the largest k for which k of n coin tosses or fewer are heads with a probability of at most 2.5 %, less one.
    /// Below six values no interval is that sure; then it is all of them.
    static func ranksOutside(_ n: Int) -> Int {
        // 0.5^n is the smallest term; from 1000 on the normal approximation is as good as exact.
        if n > 1000 { return Int((Double(n) / 2 - 0.98 * Double(n).squareRoot()).rounded(.down)) }
        var term = 1.0
        for _ in 0..<n { term /= 2 }
        var sum = term
        var outside = 0
        while sum <= 0.025 {
            outside += 1
            term *= Double(n - outside + 1) / Double(outside)
            sum += term
        }
        return outside == 0 ? 0 : Swift.min(outside - 1, (n - 1) / 2)
    }
}
