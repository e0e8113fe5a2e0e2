// How much slower one thing is than another, from runs that took turns.
//
// Two neighbours in time met the same machine: the same load, the same clock rate. So each pair gives a ratio, and the
// median of those is what we report; drift between runs, thirty times larger than the noise within one, cancels out.
// The confidence interval is by order statistics: exact, whatever the distribution (David and Nagaraja, Order
// Statistics, section 7.1). Read next: Environment.swift.

/// The median ratio of pairs, and where its true value lies with 95 % confidence.
public struct Ratio: Equatable, Sendable, Encodable {
    /// Pairs.
    public let n: Int
    public let median: Double
    public let low: Double
    public let high: Double

    /// Ratios of `subject` to `reference`, pair by pair; what one has more than the other is left out. Nil without a pair.
    public init?(of subject: [Double], to reference: [Double]) {
        let ratios = zip(subject, reference).map { $0 / $1 }.sorted()
        if ratios.isEmpty { return nil }
        n = ratios.count
        median = ratios.count % 2 == 1 ? ratios[n / 2] : (ratios[n / 2 - 1] + ratios[n / 2]) / 2
        let outside = Self.ranksOutside(n)
        low = ratios[outside]
        high = ratios[n - 1 - outside]
    }

    /// How many samples may lie outside the interval at each end, so that it holds the true median in at least 95 % of all
    /// cases: the largest k for which k of n coin tosses or fewer are heads with a probability of at most 2.5 %, less one.
    /// Below six pairs no interval is that sure; then it is all of them.
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
