// Do two reports of one host agree? What `make bench-selftest` asks: a yardstick must give the same length twice.
//
// Of the rows with a ratio to the bare KVM_RUN, nine of ten must have medians that differ by at most some percent, and as
// many intervals that overlap. Read next: CompareCommand.swift.

import Measure

struct Agreement: Encodable, Equatable {
    /// Of the JSON object.
    var version = 1
    /// Percent.
    let limit: Double
    /// Rows that one of them has: a row that comes and goes does not agree.
    let rows: Int
    let close: Int
    let overlapping: Int
    /// The ids of those that are not close, and of those that do not overlap.
    let apart: [String]
    let disjoint: [String]
    /// Of all intervals of both reports, in percent of their medians: how wide the middle one is, and the widest. Wide ones
    /// overlap easily.
    let width: Double
    let widest: Double

    static let share = 0.9

    init(_ comparison: Comparison, within percent: Double) {
        let pairs = comparison.rows.filter { $0.figure == .floorRatio }
        let lone = (comparison.onlyInA + comparison.onlyInB).map(\.id)
        limit = percent
        rows = pairs.count + lone.count
        apart = pairs.filter { abs($0.change.value) > percent }.map(\.id) + lone
        disjoint = pairs.filter { !$0.overlap }.map(\.id) + lone
        let widths = pairs.flatMap { [$0.a.width, $0.b.width] }
        width = Interval(of: widths)?.median ?? 0
        widest = widths.max() ?? 0
        close = rows - apart.count
        overlapping = rows - disjoint.count
    }

    var isGood: Bool {
        let least = Self.share * Double(rows)
        return rows > 0 && Double(close) >= least && Double(overlapping) >= least
    }
}

extension Interval {
    /// In percent of the median.
    fileprivate var width: Double { median == 0 ? 0 : (high - low) / abs(median) * 100 }
}
