// All pictures of a report: an overview of each group, and two plots of each operation.
//
// Read next: ../../Compare/Comparison.swift.

struct Picture {
    /// Of its file, without an ending.
    var name: String
    var svg: String
}

enum Pictures {
    /// `rows` have the samples of the report's rows.
    static func all(_ report: Report, _ rows: [Row]) -> [Picture] {
        var pictures: [Picture] = []
        for group in Group.allCases {
            for unit in [Unit.nanoseconds, .mebibytesPerSecond, .count, .kibibytes] {
                if let picture = Overview.picture(group, unit, report) { pictures.append(picture) }
            }
        }
        let samples = Dictionary(rows.map { ($0.subject.id, $0) }) { first, _ in first }
        var taken: Set<String> = []
        for operation in report.rows.operations {
            let curves = operation.rows.filter(\.isMeasured).compactMap { row in
                samples[row.id].flatMap { Curve(row, $0) }
            }
            guard let first = curves.first, let row = operation.rows.first else { continue }
            let same = curves.filter { $0.unit == first.unit }
            let name = unique(fileName(row.id.split(separator: "/").prefix(2).joined(separator: "/")), &taken)
            pictures.append(
                Picture(name: "\(name).percentiles", svg: PercentilePlot.svg(operation.what, same, report)))
            pictures.append(Picture(name: "\(name).distribution", svg: DensityPlot.svg(operation.what, same, report)))
        }
        return pictures
    }

    private static func unique(_ name: String, _ taken: inout Set<String>) -> String {
        var candidate = name
        var number = 2
        while !taken.insert(candidate).inserted {
            candidate = "\(name)-\(number)"
            number += 1
        }
        return candidate
    }
}

extension Curve {
    /// Nil without a sample.
    init?(_ row: ReportRow, _ samples: Row) {
        guard let name = samples.samples.first?.name else { return nil }
        sorted = samples.repeats(name).flatMap(\.self).sorted()
        if sorted.isEmpty { return nil }
        self.name = row.place == .user ? row.variant : "\(row.variant) (\(row.place.rawValue))"
        unit = row.unit
    }
}
