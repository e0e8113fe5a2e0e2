// The report as a person reads it on a terminal: rows of one operation together, what is missing with its reason.
//
// Read next: Breakdown.swift.

import Host
import Measure
import Subcommand

struct ReportTable {
    let report: Report
    private var notes: [String] = []

    init(_ report: Report) { self.report = report }

    /// All of it, with a newline at the end.
    static func text(_ report: Report) -> String {
        var table = ReportTable(report)
        return table.heading + table.body() + table.footing
    }

    private var heading: String {
        let method = report.method
        let how =
            "CPU \(method.cpu), \(method.repeats) repeats of \(method.samples) samples, "
            + "\(decimal(method.seconds, 0)) s, clock step \(quantity(method.clockStep, .nanoseconds)), \(method.started)"
        return report.environment.summary + "\n" + how + "\n" + report.warnings.map { "note: \($0)\n" }.joined()
    }

    private mutating func body() -> String {
        Group.allCases.map { group in
            let rows = report.rows.filter { $0.group == group }
            return rows.isEmpty ? "" : "\n" + text(rows, group)
        }.joined()
    }

    /// A table for each group: its columns line up from the first operation to the last.
    private mutating func text(_ rows: [ReportRow], _ group: Group) -> String {
        let columns = Column.all(rows)
        var table = Table(columns: columns.map(\.alignment) + [.left])
        table.add(cells: columns.map(\.title))
        let operations = rows.operations
        for row in operations.flatMap(\.rows) where row.absence == nil {
            table.add(cells: columns.map { $0.cell(row) } + [mark(row)])
        }
        var lines = table.lines()[...]
        let width = rows.map(\.variant.count).max() ?? 0
        var text = "\(group.rawValue)\n" + (lines.popFirst() ?? "") + "\n"
        for operation in operations {
            text += "\(printable(operation.what))\n"
            for row in operation.rows {
                if let absence = row.absence {
                    let name = row.variant + String(repeating: " ", count: width - row.variant.count)
                    text += "  \(name)  \(printable(absence))\n"
                } else {
                    text += (lines.popFirst() ?? "") + "\n"
                }
            }
        }
        return text
    }

    /// "[1]", of the notes that belong to a row.
    private mutating func mark(_ row: ReportRow) -> String {
        var own = row.note.map { [$0] } ?? []
        if row.operations > 1 {
            own.append(
                "a sample is the mean of \(row.operations) operations: percentiles are of means, the tail is hidden")
        }
        let numbers = own.map { note in
            if let index = notes.firstIndex(of: note) { return index + 1 }
            notes.append(note)
            return notes.count
        }
        return numbers.isEmpty ? "" : "[\(numbers.map { "\($0)" }.joined(separator: ","))]"
    }

    private var footing: String {
        var text = ""
        for (index, note) in notes.enumerated() {
            text += (index == 0 ? "\n" : "") + "[\(index + 1)] \(printable(note))\n"
        }
        let pairs = report.rows.filter { $0.besideRatio != nil }
        if !pairs.isEmpty {
            var table = Table(.left, .right, .left)
            for row in pairs { table.add(row.id, row.besideRatio.map(ratioText) ?? "", "times \(row.beside ?? "")") }
            text += "\nbeside, measured in turns\n" + table.lines().joined(separator: "\n") + "\n"
        }
        return text + Breakdown.text(report)
    }
}

/// A column, and what a row shows in it.
private struct Column {
    let title: String
    let alignment: Table.Alignment
    let cell: (ReportRow) -> String

    private init(_ title: String, _ alignment: Table.Alignment = .right, _ cell: @escaping (ReportRow) -> String) {
        self.title = title
        self.alignment = alignment
        self.cell = cell
    }

    /// Of the samples of a part.
    private init(_ title: String, of part: PartName?, _ value: @escaping (Distribution) -> Double) {
        self.init(title) { row in
            (part.map { row.part($0) } ?? row.total).map { quantity(value($0.distribution), row.unit) } ?? ""
        }
    }

    /// Those in which these rows have something.
    static func all(_ rows: [ReportRow]) -> [Column] {
        let columns = [
            Column("", .left) { printable($0.variant) }, Column("by", .left) { $0.place.rawValue },
            Column("n") { $0.total.map { "\($0.distribution.n)" } ?? "" },
            Column("p50", of: nil, \.p50), Column("p99", of: nil, \.p99), Column("p99.9", of: nil, \.p999),
            Column("max", of: nil, \.max),
            Column("outliers") { $0.total.map { "\($0.distribution.outliers)" } ?? "" },
            Column("out", of: .toHost, \.p50), Column("handler", of: .handler, \.p50),
            Column("back", of: .toGuest, \.p50),
            Column("x KVM_RUN") { $0.floorRatio.map(ratioText) ?? "" },
        ]
        return columns.filter { column in rows.contains { $0.absence == nil && !column.cell($0).isEmpty } }
    }
}
