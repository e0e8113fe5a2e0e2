// `--csv`: a line for each part of each row; `--raw`: a line for each sample. Flat, plain decimals, for any program.
//
// `pandas.read_csv(FILE, comment="#")` reads both; the comment lines on top tell where it was measured. RFC 4180, and
// fields with a "#" are quoted too. Read next: HistogramFile.swift.

import Host
import Measure
import Subcommand

enum CSV {
    static let columns = [
        "id", "group", "what", "variant", "place", "unit", "operations", "part", "n", "min", "p50", "p90", "p99",
        "p99_9",
        "max", "outliers", "repeats", "median", "median_low", "median_high", "floor_ratio", "floor_ratio_low",
        "floor_ratio_high", "beside", "beside_ratio", "beside_ratio_low", "beside_ratio_high", "unavailable", "failed",
        "note", "p1", "p0_1",
    ]

    static func text(_ report: Report) -> String {
        var text = lines(comments(report)) + line(columns)
        for row in report.rows {
            for part in row.parts { text += line(fields(row, part)) }
            if row.parts.isEmpty { text += line(fields(row, nil)) }
        }
        return text
    }

    /// Comments.
    static func lines(_ comments: [String]) -> String { comments.map { "# \(printable($0))\n" }.joined() }

    static func comments(_ report: Report) -> [String] {
        let (host, method) = (report.environment, report.method)
        let mitigations = host.mitigations.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        let parameters = host.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let how =
            "CPU \(method.cpu), \(method.repeats) repeats of \(method.samples) samples after \(method.warmUps), "
            + "\(decimal(method.seconds, 0)) s"
        return ["\(report.format) \(report.version), \(method.started)"]
            + host.summary.split(separator: "\n").map(String.init) + [how] + report.warnings.map { "note: \($0)" }
            + ["boot options: \(host.bootOptions.joined(separator: " "))"]
            + ["smt \(host.smt), turbo \(host.turbo), clock source \(host.clockSource)"]
            + [
                "mitigations: \(mitigations.joined(separator: "; "))",
                "parameters: \(parameters.joined(separator: " "))",
            ]
    }

    private static func fields(_ row: ReportRow, _ part: ReportRow.Part?) -> [String] {
        let isTotal = part != nil && part?.name == row.total?.name
        let head = [
            row.id, row.group.rawValue, row.what, row.variant, row.place.rawValue, row.unit.rawValue,
            "\(row.operations)",
            part?.name.rawValue ?? "",
        ]
        let samples = part?.distribution
        let numbers = [
            samples?.min, samples?.p50, samples?.p90, samples?.p99, samples?.p999, samples?.max,
        ].map { $0.map(plain) ?? "" }
        let low = [samples?.p1, samples?.p01].map { $0.map(plain) ?? "" }
        let tail = [row.unavailable ?? "", row.failed ?? "", row.note ?? ""] + low
        return head + [samples.map { "\($0.n)" } ?? ""] + numbers + [samples.map { "\($0.outliers)" } ?? ""]
            + [part.map { "\($0.medians.count)" } ?? ""] + fields(part?.interval)
            + fields(isTotal ? row.floorRatio : nil) + [row.beside ?? ""] + fields(isTotal ? row.besideRatio : nil)
            + tail
    }

    private static func fields(_ interval: Interval?) -> [String] {
        interval.map { [plain($0.median), plain($0.low), plain($0.high)] } ?? ["", "", ""]
    }

    /// Every sample: of which row, part and repeat, the how-manieth, its value in the row's unit.
    static let sampleColumns = ["id", "part", "repeat", "index", "value"]

    static func writeSamples(_ rows: [Row], of report: Report, to output: Output) throws(SubcommandError) {
        try output.write(lines(comments(report)) + line(sampleColumns))
        for row in rows {
            for part in row.samples {
                for (turn, values) in part.repeats.enumerated() {
                    let head = "\(quoted(row.subject.id)),\(part.name.rawValue),\(turn),"
                    for (index, value) in values.enumerated() { try output.write("\(head)\(index),\(plain(value))\n") }
                }
            }
        }
    }

    private static func line(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") + "\n" }

    static func quoted(_ field: String) -> String {
        // Bytes, because Swift counts CR LF as one character.
        if !field.utf8.contains(where: { Array("\",#\r\n".utf8).contains($0) }) { return field }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }
}
