// Two reports, row by row: the same, faster, slower, or not to be told.
//
// Compared is the ratio to the bare KVM_RUN, which met the same minute as the row; where a row has none, or when asked
// for, its own figure. Read next: CompareCommand.swift.

import Measure

struct Comparison: Encodable {
    /// Of the JSON object.
    var version = 1
    /// Percent: a smaller difference is none.
    let threshold: Double
    private(set) var rows: [RowPair] = []
    /// Measured in one of them only, and why not in the other.
    private(set) var onlyInA: [Lone] = []
    private(set) var onlyInB: [Lone] = []
    /// Of the hosts: a comparison across them tells of the hosts.
    let differences: [Difference]

    struct Lone: Encodable, Equatable {
        var id: String
        var why: String
        /// It should have worked.
        var isFailure: Bool
    }

    struct Difference: Encodable, Equatable {
        var what: String
        var a: String
        var b: String
    }

    init(_ a: Report, _ b: Report, threshold: Double, absolute: Bool = false) {
        self.threshold = threshold
        differences = Self.differences(a, b)
        let others = Dictionary(b.rows.map { ($0.id, $0) }) { first, _ in first }
        let known = Set(a.rows.map(\.id))
        for row in a.rows {
            let other = others[row.id]
            if let pair = other.flatMap({ RowPair(row, $0, threshold: threshold, absolute: absolute) }) {
                rows.append(pair)
            } else if row.total != nil {
                onlyInA.append(Lone(row.id, missing: other))
            } else if let other, other.total != nil {
                onlyInB.append(Lone(row.id, missing: row))
            }
        }
        for row in b.rows where !known.contains(row.id) && row.total != nil {
            onlyInB.append(Lone(row.id, missing: nil))
        }
    }

    /// Whether nothing got slower with confidence, and nothing that worked fails now.
    var isGood: Bool { !rows.contains { $0.verdict == .slower } && !onlyInA.contains(where: \.isFailure) }

    func count(_ verdict: RowPair.Verdict) -> Int { rows.count { $0.verdict == verdict } }

    private static func differences(_ a: Report, _ b: Report) -> [Difference] {
        func parts(_ report: Report) -> [(String, String)] {
            let host = report.environment
            let mitigations = host.mitigations.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
            let parameters = host.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return [
                ("CPU", "\(host.cpu), \(host.cpus) CPUs"), ("microcode", host.microcode), ("kernel", host.kernel),
                ("KVM", host.kvm), ("hypervisor", host.hypervisor), ("governor", host.governor), ("turbo", host.turbo),
                ("SMT", host.smt), ("boot options", host.bootOptions.joined(separator: " ")),
                ("mitigations", mitigations.joined(separator: "; ")),
                ("KVM's parameters", parameters.joined(separator: " ")),
                ("samples", "\(report.method.repeats) repeats of \(report.method.samples)"),
            ] + host.versions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        let others = Dictionary(parts(b)) { first, _ in first }
        return parts(a).compactMap { what, value in
            let other = others[what] ?? ""
            return value == other ? nil : Difference(what: what, a: value, b: other)
        }
    }
}

extension Comparison.Lone {
    fileprivate init(_ id: String, missing: ReportRow?) {
        self.init(id: id, why: missing?.absence ?? "no such row", isFailure: missing?.failed != nil)
    }
}

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
    /// Percent: above zero is more of it, in its unit.
    let change: Double
    let overlap: Bool
    let verdict: Verdict

    /// Nil when one of them has nothing to compare.
    init?(_ a: ReportRow, _ b: ReportRow, threshold: Double, absolute: Bool) {
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
        change = pair.0.median == 0 ? 0 : (pair.1.median / pair.0.median - 1) * 100
        overlap = pair.0.overlaps(pair.1)
        verdict = Self.verdict(pair, change, overlap, threshold, moreIsBetter: a.unit == .mebibytesPerSecond)
    }

    /// A difference counts when it is over the threshold and the intervals do not overlap. None is certain only when both
    /// intervals lie within the threshold of their medians: a wide one would hide it.
    private static func verdict(
        _ pair: (Interval, Interval), _ change: Double, _ overlap: Bool, _ threshold: Double, moreIsBetter: Bool
    ) -> Verdict {
        if abs(change) > threshold {
            if overlap { return .undecided }
            return (change > 0) == moreIsBetter ? .faster : .slower
        }
        return pair.0.isWithin(threshold) && pair.1.isWithin(threshold) ? .same : .undecided
    }
}

extension Interval {
    /// Whether both ends lie within so many percent of the median.
    fileprivate func isWithin(_ percent: Double) -> Bool {
        let room = abs(median) * percent / 100
        return high - median <= room && median - low <= room
    }
}
