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
            // Resets have parts of their own. Where more is better, the tail is at the other end; so are the columns.
            let less = rows.filter { !$0.unit.moreIsBetter }
            return text(less.filter { !$0.isReset }, group.rawValue)
                + text(less.filter(\.isReset), "\(group.rawValue), putting pages back")
                + text(rows.filter(\.unit.moreIsBetter), "\(group.rawValue), more is better")
        }.joined()
    }

    /// A table for each group: its columns line up from the first operation to the last. Empty without rows.
    private mutating func text(_ rows: [ReportRow], _ title: String) -> String {
        if rows.isEmpty { return "" }
        let operations = rows.operations
        let columns = Column.all(rows)
        let all = self.lines(operations, columns)
        let fits = all.allSatisfy { $0.count <= Self.width }
        var lines = (fits ? all : self.lines(operations, columns.filter { !$0.isSpare }))[...]
        let width = rows.map(\.variant.count).max() ?? 0
        var text = "\n\(title)\n" + (lines.popFirst() ?? "") + "\n"
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

    private static let width = 130

    /// The head, then a line for each row that was measured.
    private mutating func lines(_ operations: [Operation], _ columns: [Column]) -> [String] {
        var table = Table(columns: columns.map(\.alignment) + [.left])
        table.add(cells: columns.map(\.title))
        for row in operations.flatMap(\.rows) where row.isMeasured {
            table.add(cells: columns.map { $0.cell(row) } + [mark(row)])
        }
        return table.lines()
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
        let pairs = report.rows.filter { $0.isMeasured && $0.besideRatio != nil }
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
    /// Left out where the table would be too wide.
    var isSpare = false

    private init(_ title: String, _ alignment: Table.Alignment = .right, _ cell: @escaping (ReportRow) -> String) {
        self.title = title
        self.alignment = alignment
        self.cell = cell
    }

    /// Of the samples of a part.
    private init(_ title: String, of part: PartName? = nil, _ value: @escaping (Distribution) -> Double?) {
        self.init(title) { row in
            let distribution = (part.map { row.part($0) } ?? row.total)?.distribution
            return distribution.flatMap(value).map { quantity($0, row.unit) } ?? ""
        }
    }

    /// A percentile that one sample in `many` is beyond: with fewer samples it would be the extreme by another name.
    private init(_ title: String, oneIn many: Int, _ value: @escaping (Distribution) -> Double?) {
        self.init(title) { $0.n >= many ? value($0) : nil }
    }

    /// Those in which these rows have something.
    static func all(_ rows: [ReportRow]) -> [Column] {
        let columns =
            [
                Column("", .left) { printable($0.variant) }, Column("by", .left) { $0.place.rawValue },
                Column("n") { $0.total.map { "\($0.distribution.n)" } ?? "" },
            ] + figures(moreIsBetter: rows.contains(where: \.unit.moreIsBetter)) + [
                Column("outliers") { $0.total.map { "\($0.distribution.outliers)" } ?? "" },
                Column("out", of: .toHost, \.p50), Column("handler", of: .handler, \.p50),
                Column("back", of: .toGuest, \.p50), Column("run", of: .run, \.p50), Column("find", of: .find, \.p50),
                Column("put back", of: .putBack, \.p50),
                certainty(rows),
            ]
        return columns.filter { column in rows.contains { $0.isMeasured && !column.cell($0).isEmpty } }
    }

    /// The ratio and its interval; where a row has none, the interval of its median.
    private static func certainty(_ rows: [ReportRow]) -> Column {
        let measured = rows.filter(\.isMeasured)
        let ratios = measured.count { $0.floorRatio != nil }
        let title = ratios == measured.count ? "x KVM_RUN" : ratios == 0 ? "median, 95 %" : "x KVM_RUN or median"
        return Column(title) { row in
            row.floorRatio.map(ratioText) ?? row.total.map { rangeText($0.interval, row.unit) } ?? ""
        }
    }

    /// From the best sample to the worst.
    private static func figures(moreIsBetter: Bool) -> [Column] {
        if moreIsBetter {
            return [
                Column("max", \.max), Column("p50", \.p50), Column("p1", oneIn: 100, \.p1),
                Column("p0.1", oneIn: 1000, \.p01), Column("min", \.min),
            ]
        }
        var least = Column("min", \.min)
        least.isSpare = true
        return [
            least, Column("p50", \.p50), Column("p99", oneIn: 100, \.p99),
            Column("p99.9", oneIn: 1000, \.p999), Column("max", \.max),
        ]
    }
}

extension ReportRow {
    /// A cycle of a guest's run and what puts back its pages.
    fileprivate var isReset: Bool { part(.putBack) != nil }
}
