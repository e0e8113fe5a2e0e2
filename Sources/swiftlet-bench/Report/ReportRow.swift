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
    /// Whether it is compared with the bare KVM_RUN; nil in reports from before it was told.
    var hasFloor: Bool?
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

        /// Nil without a sample. A repeat may be without one: not every stretch of an operation is seen every time.
        init?(_ name: PartName, _ repeats: [[Double]], _ unit: Unit, step: Double) {
            let taken = repeats.filter { !$0.isEmpty }
            let medians = taken.map { percentile(0.5, ofSorted: $0.sorted()) }
            guard let interval = Interval(of: medians),
                let distribution = Distribution(taken.flatMap(\.self), step: step, lowTail: unit.moreIsBetter)
            else { return nil }
            self.name = name
            self.distribution = distribution
            self.interval = interval
            self.medians = medians
        }
    }

    /// `besides` are all rows by their ids; `clockStep` is in nanoseconds.
    init(_ row: Row, besides: [String: Row] = [:], clockStep: Double = 0) {
        let subject = row.subject
        id = subject.id
        group = subject.group
        what = subject.what
        variant = subject.variant
        place = subject.place
        unit = subject.unit
        operations = subject.operations
        note = row.note
        unavailable = row.unavailable
        failed = row.failed
        let (unit, operations) = (subject.unit, subject.operations)
        parts = row.samples.compactMap { name, repeats in
            Part(name, repeats, unit, step: unit.step(clockStep, operations: operations))
        }
        hasFloor = subject.hasFloor
        floors = row.floors
        floorRatio = row.floorRatio
        beside = subject.beside
        besideRatio = subject.beside.flatMap { besides[$0] }.flatMap { Ratio(of: row.medians(), to: $0.medians()) }
    }

    /// What every row is that was measured; one that was read from a file may not be.
    var isSound: Bool {
        parts.allSatisfy { $0.distribution.isSound && $0.interval.isSound && $0.medians.allSatisfy(\.isFinite) }
            && [floorRatio, besideRatio].allSatisfy { $0?.isSound ?? true } && floors.allSatisfy(\.isFinite)
            && operations >= 1
    }

    /// The whole operation; nil when there is nothing.
    var total: Part? { parts.first }

    func part(_ name: PartName) -> Part? { parts.first { $0.name == name } }

    /// There are figures, and all of them count: a row that failed in a late repeat still has those of the earlier ones.
    var isMeasured: Bool { absence == nil }

    /// Why there is nothing, in words; nil when there is something.
    var absence: String? {
        if let failed { return "FAILED: \(failed)" }
        if let unavailable { return "not here: \(unavailable)" }
        return parts.isEmpty ? "not measured" : nil
    }
}

extension Unit {
    /// Then the low end is the tail.
    var moreIsBetter: Bool { self == .mebibytesPerSecond }

    /// The least difference that samples of that many operations can show.
    func step(_ clockStep: Double, operations: Int) -> Double {
        switch self {
        case .nanoseconds: clockStep / Double(max(operations, 1))
        case .count, .kibibytes: 1 / Double(max(operations, 1))
        case .mebibytesPerSecond: 0.1  // what samples are rounded to (Method/Row.swift)
        }
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
                rows: operation.rows.filter(\.isMeasured) + operation.rows.filter { !$0.isMeasured })
        }
    }
}
