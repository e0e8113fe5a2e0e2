// What a set of samples says: how many, the extremes, and percentiles. Never a mean: one interruption ruins it.
//
// Percentiles are samples that occurred (nearest rank), so they need no model and no bins. Read next: Interval.swift.

/// A summary of raw samples, in their own unit.
public struct Distribution: Equatable, Sendable, Codable {
    public let n: Int
    public let min: Double
    public let p50: Double
    public let p90: Double
    public let p99: Double
    public let p999: Double
    public let max: Double
    /// Samples beyond the upper quartile by more than three times the distance of the quartiles (Tukey's "far out"). They
    /// are counted in everything else too: what disturbs a host belongs to what it costs there.
    public let outliers: Int

    /// Nil without a sample.
    public init?(_ samples: [Double]) {
        let sorted = samples.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        n = sorted.count
        min = first
        p50 = percentile(0.50, ofSorted: sorted)
        p90 = percentile(0.90, ofSorted: sorted)
        p99 = percentile(0.99, ofSorted: sorted)
        p999 = percentile(0.999, ofSorted: sorted)
        max = last
        let (lower, upper) = (percentile(0.25, ofSorted: sorted), percentile(0.75, ofSorted: sorted))
        outliers = sorted.count { $0 > upper + 3 * (upper - lower) }
    }
}

/// The nearest-rank percentile: the smallest sample that at least that part of all do not exceed. Zero without samples.
public func percentile(_ part: Double, ofSorted samples: [Double]) -> Double {
    let rank = Int((part * Double(samples.count)).rounded(.up))
    return samples.isEmpty ? 0 : samples[Swift.min(Swift.max(rank, 1), samples.count) - 1]
}
