// Two reports, row by row: the same, faster, slower, or not to be told.
//
// Compared is the ratio to the bare KVM_RUN, which met the same minute as the row; where a row has none, or when asked
// for, its own figure. Read next: RowPair.swift.

import Measure

struct Comparison: Encodable {
    /// Of the JSON object.
    var version = 2
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
        /// It should have worked: it failed, or the same host could do it for the other report.
        var isFailure: Bool
    }

    struct Difference: Encodable, Equatable {
        var what: String
        var a: String
        var b: String
    }

    init(_ a: Report, _ b: Report, threshold: Double, absolute: Bool = false) {
        self.threshold = threshold
        let hosts = Self.differences(Self.host(a), Self.host(b))
        differences = hosts + Self.differences(Self.method(a), Self.method(b))
        let others = Dictionary(b.rows.map { ($0.id, $0) }) { first, _ in first }
        let known = Set(a.rows.map(\.id))
        for row in a.rows {
            let other = others[row.id]
            if let pair = other.flatMap({ RowPair(row, $0, threshold: threshold, absolute: absolute) }) {
                rows.append(pair)
            } else if row.isMeasured {
                onlyInA.append(Lone(row.id, missing: other, isSameHost: hosts.isEmpty))
            } else if let other, other.isMeasured {
                onlyInB.append(Lone(row.id, missing: row, isSameHost: hosts.isEmpty))
            }
        }
        for row in b.rows where !known.contains(row.id) && row.isMeasured {
            onlyInB.append(Lone(row.id, missing: nil, isSameHost: hosts.isEmpty))
        }
    }

    /// Whether nothing got slower with confidence, and nothing that worked fails now.
    var isGood: Bool { !rows.contains { $0.verdict == .slower } && !onlyInA.contains(where: \.isFailure) }

    func count(_ verdict: RowPair.Verdict) -> Int { rows.count { $0.verdict == verdict } }

    private typealias Facts = [(what: String, value: String)]

    private static func host(_ report: Report) -> Facts {
        let host = report.environment
        let mitigations = host.mitigations.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        let parameters = host.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            ("CPU", "\(host.cpu), \(host.cpus) CPUs"), ("microcode", host.microcode), ("kernel", host.kernel),
            ("KVM", host.kvm), ("hypervisor", host.hypervisor), ("governor", host.governor), ("turbo", host.turbo),
            ("SMT", host.smt), ("boot options", host.bootOptions.joined(separator: " ")),
            ("mitigations", mitigations.joined(separator: "; ")),
            ("KVM's parameters", parameters.joined(separator: " ")),
        ]
    }

    private static func method(_ report: Report) -> Facts {
        let method = report.method
        let samples = ("samples", "\(method.repeats) repeats of \(method.samples)")
        return [samples, ("build", method.build?.rawValue ?? "")]
            + report.environment.versions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func differences(_ a: Facts, _ b: Facts) -> [Difference] {
        let others = Dictionary(b.map { ($0.what, $0.value) }) { first, _ in first }
        return a.compactMap { what, value in
            let other = others[what] ?? ""
            return value == other ? nil : Difference(what: what, a: value, b: other)
        }
    }
}

extension Comparison.Lone {
    fileprivate init(_ id: String, missing: ReportRow?, isSameHost: Bool) {
        let isFailure = missing?.failed != nil || (isSameHost && missing?.unavailable != nil)
        self.init(id: id, why: missing?.absence ?? "no such row", isFailure: isFailure)
    }
}
