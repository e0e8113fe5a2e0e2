// The files of a report: JSON, CSV, raw samples, HdrHistograms, pictures.
//
// Read next: CSV.swift, HistogramFile.swift, then SVG.swift.

import Subcommand

/// Where each goes; nil is nowhere.
struct ReportFiles {
    private var json: Output?
    private var csv: Output?
    private var raw: Output?
    private var histograms: String?
    private var pictures: String?

    /// Opens or makes all of them.
    init(
        json: String?, csv: String?, raw: String?, histograms: String?, pictures: String?, all folder: String?
    ) throws(SubcommandError) {
        func path(_ given: String?, _ name: String) -> String? { given ?? folder.map { "\($0)/\(name)" } }
        if let folder { try Output.makeFolder(folder) }
        if let path = path(json, "report.json") { self.json = try Output(path) }
        if let path = path(csv, "report.csv") { self.csv = try Output(path) }
        if let path = path(raw, "raw.csv") { self.raw = try Output(path) }
        self.histograms = path(histograms, "hgrm")
        self.pictures = path(pictures, "svg")
        for folder in [self.histograms, self.pictures] {
            if let folder { try Output.makeFolder(folder) }
        }
        if [self.json, self.csv, self.raw].count(where: { $0?.isStandardOutput == true }) > 1 {
            throw SubcommandError("bench: --json -, --csv -, --raw -: standard output takes one of them")
        }
    }

    /// A script reads standard output: the table has no place there.
    var useStandardOutput: Bool { [json, csv, raw].contains { $0?.isStandardOutput == true } }

    /// Writes all. `rows` have the samples of the report's rows.
    func write(_ report: Report, _ rows: [Row]) throws(SubcommandError) {
        if let json {
            try json.write(try JSON.text(report))
            try json.finish()
        }
        if let csv {
            try csv.write(CSV.text(report))
            try csv.finish()
        }
        if let raw {
            try CSV.writeSamples(rows, of: report, to: raw)
            try raw.finish()
        }
        if let histograms { try writeHistograms(report, rows, histograms) }
        if let pictures {
            for picture in Pictures.all(report, rows) {
                try Self.write(picture.svg, "\(pictures)/\(picture.name).svg")
            }
        }
    }

    private func writeHistograms(_ report: Report, _ rows: [Row], _ folder: String) throws(SubcommandError) {
        for row in rows {
            for part in row.samples {
                let samples = part.repeats.flatMap(\.self)
                if samples.isEmpty { continue }
                let name = fileName("\(row.subject.id).\(part.name.rawValue)")
                let text = histogramText(samples, unit: row.subject.unit, comments: CSV.comments(report))
                try Self.write(text, "\(folder)/\(name).hgrm")
            }
        }
    }

    private static func write(_ text: String, _ path: String) throws(SubcommandError) {
        let output = try Output(path)
        try output.write(text)
        try output.finish()
    }
}

/// "exits.port-write.ring3.total": an id as a file's name.
func fileName(_ id: String) -> String {
    let characters = id.map { character -> Character in
        if character == "/" { return "." }
        let isPlain = character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
        return isPlain ? character : "_"
    }
    return String(characters)
}
