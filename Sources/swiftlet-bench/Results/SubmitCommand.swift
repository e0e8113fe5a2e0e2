// `swiftlet bench submit DIR`: one file for the results repository, once the report has been found to be sound.
//
// docs/results-format.md describes the file and the folder it is unpacked into. Read next: HostsPage.swift.

import ArgumentParser
import Host
import Measure
import Subcommand

struct SubmitCommand: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Check a report and pack it for the results repository.",
        usage: "swiftlet bench submit [--host <name>] [--into <folder>] DIR",
        discussion: """
            DIR is what --out made. The report must be complete, not --quick, of at least ten repeats, and say what its raw \
            samples say. Writes HOST-DATE.tar.gz: HOST/report.json, HOST/raw.csv.gz, \
            HOST/environment.txt. Unpacked in benchmarks/results it is an entry there.

            Exit status: 0 packed; 125 an error.
            """)

    @Option(
        help: ArgumentHelp(
            "What to call this host (made of its CPU and its KVM): letters, digits, - and _.", valueName: "name"))
    var host: String?

    @Option(help: ArgumentHelp("Where to put it.", valueName: "folder"))
    var into = "."

    @Argument(help: ArgumentHelp("The folder that --out made.", valueName: "DIR"))
    var folder: String

    func validate() throws {
        if let host, host.isEmpty || host.hasPrefix("-") || fileName(host) != host || host.contains(".") {
            throw ValidationError("--host '\(host)': letters, digits, - and _")
        }
    }

    func perform() throws(SubcommandError) -> Int32 {
        let report = try readReport("\(folder)/report.json")
        if let why = report.unfit { throw SubcommandError("bench: \(folder)/report.json: \(why)") }
        let raw = "\(folder)/raw.csv"
        if let why = try SampleFile(try readFile(raw), name: raw).contradiction(report) {
            throw SubcommandError("bench: \(raw): \(why)")
        }
        let name = host ?? report.environment.hostName
        let archive = "\(into)/\(name)-\(fileName(String(report.method.started.prefix(10)))).tar.gz"
        let environment = try Output("\(folder)/environment.txt")
        try environment.write(CSV.comments(report).joined(separator: "\n") + "\n")
        try environment.finish()
        // -n: no name and no time within, so that the same samples make the same file.
        try run("/usr/bin/gzip", ["-9", "-n", "-k", "-f", raw])
        try run(
            "/usr/bin/tar",
            ["-c", "-z", "-f", archive, "-C", folder, "--transform=s,^,\(name)/,", "--owner=0", "--group=0"]
                + ["report.json", "raw.csv.gz", "environment.txt"])
        try printResult("\(archive)\n")
        return 0
    }

    private func run(_ program: String, _ arguments: [String]) throws(SubcommandError) {
        let end: ChildEnd
        do throws(HostError) {
            var child = try ChildProcess(program, arguments)
            end = child.finish(limit: 600_000_000_000).end
        } catch { throw SubcommandError("bench: \(error.message)") }
        if end != .exited(0) { throw SubcommandError("bench: \(program) \(arguments.joined(separator: " ")): \(end)") }
    }
}

extension Report {
    /// Why it cannot be published; nil when it can.
    var unfit: String? {
        if method.isQuick { return "made with --quick" }
        if method.isPartial { return "partial: it was stopped" }
        if method.repeats < 10 { return "\(method.repeats) repeats: at least 10" }
        let measured = rows.filter { $0.failed == nil && $0.unavailable == nil }
        if let row = measured.first(where: { $0.total?.medians.count != method.repeats }) {
            return "\(row.id): not all repeats were done"
        }
        return measured.isEmpty ? "nothing was measured" : nil
    }
}

extension Environment {
    /// "amd-epyc-9654-svm": what it is, not what its owner calls it.
    var hostName: String {
        let kind = virtualization == .software ? "software-\(module)" : virtualization.rawValue
        let noise = ["(r)", "(tm)", "processor", "cpu", "@"]
        let words = "\(cpu) \(kind)\(isVirtual ? " nested" : "")".lowercased().split {
            $0 == " " || $0 == "_" || $0 == "/"
        }
        let kept = words.map { word in noise.reduce(String(word)) { $0.replacing($1, with: "") } }.filter {
            !$0.isEmpty
        }
        return fileName(kept.joined(separator: "-")).replacing(".", with: "_")
    }
}
