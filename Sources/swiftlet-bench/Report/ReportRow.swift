// One row of the report: a subject, and what its samples say.
//
// Percentiles are over all samples; the interval is over the repeats' medians (Measure/Interval.swift tells why).
// Read next: ReportTable.swift.

import Measure

struct ReportRow: Codable, Equatable, Sendable {
    /// What rows of two reports are compared by.
    var id: String
    var group: Group
    var what: String
    var variant: String
    var place: Place
    var unit: Unit
    /// In a sample: above 1 its percentiles are of means, and hide the tail.
    var operations: Int
    var note: String?
    /// Why there is nothing: this host cannot do it, or it should have worked and did not.
    var unavailable: String?
    var failed: String?
    /// The first is the whole operation.
    var parts: [Part]
    /// Medians of the bare KVM_RUN beside each repeat, nanoseconds.
    var floors: [Double]
    /// To the bare KVM_RUN, repeat by repeat.
    var floorRatio: Interval?
    /// The row that does the same another way, and the ratio to it, repeat by repeat.
    var beside: String?
    var besideRatio: Interval?

    struct Part: Codable, Equatable, Sendable {
        var name: PartName
        var distribution: Distribution
        /// Of the repeats' medians.
        var interval: Interval
        /// Of each repeat, in the order in which they were made.
        var medians: [Double]
    }

    init(_ row: Row, besides: [String: Row] = [:]) {
        let subject = row.subject
        id = subject.id
        group = subject.group
        what = subject.what
        variant = subject.variant
        place = subject.place
        unit = subject.unit
        operations = subject.operations
        note = subject.note
        unavailable = row.unavailable
        failed = row.failed
        parts = row.samples.compactMap { name, repeats in
            let medians = row.medians(name)
            guard let distribution = Distribution(repeats.flatMap(\.self)), let interval = Interval(of: medians) else {
                return nil
            }
            return Part(name: name, distribution: distribution, interval: interval, medians: medians)
        }
        floors = row.floors
        floorRatio = row.floorRatio
        beside = subject.beside
        besideRatio = subject.beside.flatMap { besides[$0] }.flatMap { Ratio(of: row.medians(), to: $0.medians()) }
    }

    /// The whole operation; nil when there is nothing.
    var total: Part? { parts.first }

    func part(_ name: PartName) -> Part? { parts.first { $0.name == name } }

    /// Why there is nothing, in words; nil when there is something.
    var absence: String? {
        if let failed { return "FAILED: \(failed)" }
        if let unavailable { return "not here: \(unavailable)" }
        return parts.isEmpty ? "not measured" : nil
    }
}

/// Rows that are one operation: its modes, places, sizes.
struct Operation: Sendable {
    var what: String
    var rows: [ReportRow]
}

extension [ReportRow] {
    /// By what they measure, in the order of the first of each; what is missing comes last.
    var operations: [Operation] {
        var list: [Operation] = []
        for row in self {
            if let index = list.firstIndex(where: { $0.what == row.what && $0.rows[0].group == row.group }) {
                list[index].rows.append(row)
            } else {
                list.append(Operation(what: row.what, rows: [row]))
            }
        }
        return list.map { operation in
            Operation(
                what: operation.what,
                rows: operation.rows.filter { $0.absence == nil } + operation.rows.filter { $0.absence != nil })
        }
    }
}
