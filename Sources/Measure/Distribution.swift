// What a set of samples says: how many, the extremes, and percentiles. Never a mean: one interruption ruins it.
//
// Percentiles are samples that occurred (nearest rank), so they need no model and no bins. Read next: Interval.swift.

/// A summary of raw samples, in their own unit.
public struct Distribution: Equatable, Sendable, Codable {
    public let n: Int
    public let min: Double
    /// 0.1 % and 1 %: the tail where more is better. Nil in reports from before there were any.
    public let p01: Double?
    public let p1: Double?
    public let p50: Double
    public let p90: Double
    public let p99: Double
    public let p999: Double
    public let max: Double
    /// Samples beyond a quartile, on the tail's side, by more than three times the distance of the quartiles (Tukey's "far
    /// out"). They are counted in everything else too: what disturbs a host belongs to what it costs there.
    public let outliers: Int

    /// Nil without a sample. `step` is the least difference that the samples can show, a clock's: where the quartiles are
    /// nearer to each other, the next value up would be an outlier. `lowTail` where more is better.
    public init?(_ samples: [Double], step: Double = 0, lowTail: Bool = false) {
        let sorted = samples.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        n = sorted.count
        min = first
        p01 = percentile(0.001, ofSorted: sorted)
        p1 = percentile(0.01, ofSorted: sorted)
        p50 = percentile(0.50, ofSorted: sorted)
        p90 = percentile(0.90, ofSorted: sorted)
        p99 = percentile(0.99, ofSorted: sorted)
        p999 = percentile(0.999, ofSorted: sorted)
        max = last
        let (lower, upper) = (percentile(0.25, ofSorted: sorted), percentile(0.75, ofSorted: sorted))
        let room = 3 * Swift.max(upper - lower, step)
        outliers = sorted.count { lowTail ? $0 < lower - room : $0 > upper + room }
    }

    /// What every distribution is; one that was read from a file may not be.
    public var isSound: Bool {
        let values = [min, p01 ?? min, p1 ?? p01 ?? min, p50, p90, p99, p999, max]
        return n >= 1 && (0...n).contains(outliers) && values.allSatisfy(\.isFinite)
            && zip(values, values.dropFirst()).allSatisfy(<=)
    }
}

/// The nearest-rank percentile: the smallest sample that at least that part of all do not exceed. Zero without samples.
public func percentile(_ part: Double, ofSorted samples: [Double]) -> Double {
    let rank = Int((part * Double(samples.count)).rounded(.up))
    return samples.isEmpty ? 0 : samples[Swift.min(Swift.max(rank, 1), samples.count) - 1]
}
