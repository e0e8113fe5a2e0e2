// How much slower one thing is than another, from runs that took turns.
//
// Two neighbours in time met the same machine: the same load, the same clock rate. So each pair gives a ratio, and the
// median of those is what we report; drift between runs, thirty times larger than the noise within one, cancels out.
// Read next: HostFiles.swift.

/// The median ratio of pairs, and where its true value lies with 95 % confidence.
public typealias Ratio = Interval

extension Interval {
    /// Ratios of `subject` to `reference`, pair by pair; what one has more than the other is left out. Nil without a pair, and
    /// where one has no ratio: a reference of zero is shorter than the clock can tell.
    public init?(of subject: [Double], to reference: [Double]) {
        let ratios = zip(subject, reference).map { $0 / $1 }
        guard ratios.allSatisfy(\.isFinite) else { return nil }
        self.init(of: ratios)
    }
}
