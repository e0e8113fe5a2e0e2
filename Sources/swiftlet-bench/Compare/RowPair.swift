// A row that two reports have: by how much it changed, how sure that is, and what follows.
//
// The verdict is that of the change's interval, not of the medians: the true change lies in it. Read next: Agreement.swift.

import Measure

/// A row of both.
struct RowPair: Encodable, Equatable {
    enum Verdict: String, Encodable {
        case same, faster, slower
        /// The host was too noisy to tell.
        case undecided
    }

    enum Figure: String, Encodable {
        case floorRatio = "x KVM_RUN"
        case absolute
    }

    let id: String
    /// Which figure is compared.
    let figure: Figure
    let unit: Unit
    let a: Interval
    let b: Interval
    /// Of the median: above zero is more of it, in its unit.
    let change: Percent
    /// Between what the change may be, given both intervals.
    let changeLow: Percent
    let changeHigh: Percent
    let overlap: Bool
    let verdict: Verdict

    /// Nil when one of them has nothing to compare.
    init?(_ a: ReportRow, _ b: ReportRow, threshold: Double, absolute: Bool) {
        guard a.isMeasured, b.isMeasured else { return nil }
        let pair: (Interval, Interval)
        if !absolute, let x = a.floorRatio, let y = b.floorRatio {
            (pair, figure) = ((x, y), .floorRatio)
        } else if let x = a.total?.interval, let y = b.total?.interval, a.unit == b.unit {
            (pair, figure) = ((x, y), .absolute)
        } else {
            return nil
        }
        id = a.id
        unit = a.unit
        (self.a, self.b) = pair
        change = Percent(from: pair.0.median, to: pair.1.median)
        let (low, high) = Self.change(pair.0, pair.1)
        (changeLow, changeHigh) = (Percent(value: low), Percent(value: high))
        overlap = pair.0.overlaps(pair.1)
        // The interval of fewer is no interval: of one repeat it has no width, and any other looks like a change.
        let isSure = min(pair.0.n, pair.1.n) >= Self.leastRepeats
        verdict = isSure ? Self.verdict(low, high, threshold, moreIsBetter: a.unit.moreIsBetter) : .undecided
    }

    /// Repeats below which no interval is sure to 95 % (Measure/Interval.swift).
    static let leastRepeats = 6

    /// The least and the greatest change between values of two intervals.
    private static func change(_ a: Interval, _ b: Interval) -> (Double, Double) {
        // Linear in b, and monotonic in a on either side of zero: the extremes are at the ends.
        let ends = [a.low, a.high].flatMap { from in [b.low, b.high].map { Percent(from: from, to: $0).value } }
        // With zero within a, a change is as large as one likes.
        let spansZero = a.low < 0 && a.high > 0
        let low = spansZero && b.low < 0 ? -Double.infinity : ends.min() ?? 0
        return (low, spansZero && b.high > 0 ? .infinity : ends.max() ?? 0)
    }

    private static func verdict(_ low: Double, _ high: Double, _ threshold: Double, moreIsBetter: Bool) -> Verdict {
        if low > threshold { return moreIsBetter ? .faster : .slower }
        if high < -threshold { return moreIsBetter ? .slower : .faster }
        return low >= -threshold && high <= threshold ? .same : .undecided
    }
}

/// A change; infinite from zero to anything else, which JSON has no number for: null.
struct Percent: Encodable, Equatable {
    let value: Double

    init(value: Double) { self.value = value }

    /// Of what it was, without its sign: from -10 to -5 is more by half.
    init(from a: Double, to b: Double) { value = a == b ? 0 : (b - a) / abs(a) * 100 }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if value.isFinite { try container.encode(value) } else { try container.encodeNil() }
    }

    /// "+1.5 %"
    var text: String { value.isFinite ? "\(value > 0 ? "+" : "")\(decimal(value, 1)) %" : value > 0 ? "+inf" : "-inf" }
}
