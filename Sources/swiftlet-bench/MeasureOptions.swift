// How much to measure, on which CPU, and where the results go.
//
// Read next: Measurement.swift.

import ArgumentParser
import Host
import Subcommand

struct MeasureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The CPU that the vCPU's thread is pinned to (the last one).", valueName: "n"))
    var cpu: Int?

    @Option(help: ArgumentHelp("Interleaved repeats; confidence is over them (10, the least).", valueName: "n"))
    var repeats: Int?

    @Option(help: ArgumentHelp("Samples of a row in each repeat (1000).", valueName: "n"))
    var samples: Int?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Only rows whose id contains this; may be given more than once.", valueName: "text"))
    var only: [String] = []

    @Flag(help: "Print the ids of all rows and what they are; measure nothing.")
    var list = false

    @Flag(help: "Two repeats of 100 samples, for a first look: not for publication.")
    var quick = false

    @Option(help: ArgumentHelp("The report as JSON (docs/bench-schema.json); - is standard output.", valueName: "file"))
    var json: String?

    @Option(
        help: ArgumentHelp("The report as CSV, a line for each row and part; - is standard output.", valueName: "file"))
    var csv: String?

    @Option(help: ArgumentHelp("Every sample as CSV; - is standard output.", valueName: "file"))
    var raw: String?

    @Option(help: ArgumentHelp("A percentile file of HdrHistogram for each row and part.", valueName: "folder"))
    var hgrm: String?

    @Option(
        help: ArgumentHelp(
            "Pictures: an overview, percentiles and distribution of each operation.", valueName: "folder"))
    var svg: String?

    @Option(help: ArgumentHelp("All of these: report.json, report.csv, raw.csv, hgrm, svg.", valueName: "folder"))
    var out: String?

    @OptionGroup var paths: PathOptions

    func validate() throws {
        if let repeats, repeats < (quick ? 1 : 10) {
            throw ValidationError(
                quick ? "--repeats \(repeats): at least 1" : "--repeats \(repeats): at least 10, or --quick")
        }
        if let samples, !(1...1_000_000).contains(samples) {
            throw ValidationError("--samples \(samples): 1 to 1000000")
        }
    }

    var amount: (repeats: Int, samples: Amount) {
        let samples = samples ?? (quick ? 100 : 1000)
        return (repeats ?? (quick ? 2 : 10), Amount(samples: samples, warmUps: samples / 10))
    }

    func files() throws(SubcommandError) -> ReportFiles {
        try ReportFiles(json: json, csv: csv, raw: raw, histograms: hgrm, pictures: svg, all: out)
    }

    func isWanted(_ subject: Subject) -> Bool { only.isEmpty || only.contains { subject.id.contains($0) } }

    func run(_ groups: [Group]) throws(SubcommandError) -> Int32 {
        let allowed = allowedCPUs()
        let cpu = cpu ?? allowed.last ?? 0
        let equipment = Equipment(
            workshop: paths.workshop, images: ExitImages(folder: paths.workshop.guests), cpu: cpu,
            otherCPU: allowed.first { $0 != cpu })
        let experiments = Self.allExperiments(equipment).filter {
            groups.contains($0.subject.group) && isWanted($0.subject)
        }
        if experiments.isEmpty {
            throw SubcommandError(
                "bench: no row's id contains \(only.map { "'\($0)'" }.joined(separator: " or ")): try --list")
        }
        if list {
            try printResult(Self.list(experiments.map(\.subject)))
            return 0
        }
        do throws(HostError) { try pinThread(to: cpu) } catch {
            let usable = allowedCPUs().map { "\($0)" }.joined(separator: ", ")
            throw SubcommandError("bench: --cpu \(cpu): \(error.message): this process may use \(usable)")
        }
        let files = try files()
        var measurement = Measurement(experiments, equipment, amount, isQuick: quick, only: only)
        return try measurement.run(files)
    }

    /// Of all groups, in the order in which they are measured.
    static func allExperiments(_ equipment: Equipment) -> [any Experiment] {
        neighbouring(
            exitExperiments(equipment) + programExperiments(equipment) + memoryExperiments(equipment)
                + deviceExperiments(equipment) + startupExperiments(equipment))
    }

    static func list(_ subjects: [Subject]) -> String {
        var table = Table(.left, .left, .left)
        for subject in subjects { table.add(subject.id, subject.what, subject.place.rawValue) }
        return table.lines(indent: 0).joined(separator: "\n") + "\n"
    }
}
