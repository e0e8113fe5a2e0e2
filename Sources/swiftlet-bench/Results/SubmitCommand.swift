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
            DIR is what --out made. The report must be complete, without failed rows, of a release build, not --quick or --only, of \
            at least ten repeats of ten samples, and say what its raw samples say. Writes HOST-DATE.tar.gz: HOST/report.json, HOST/raw.csv.gz, \
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
        let (json, raw) = ("\(folder)/report.json", "\(folder)/raw.csv")
        let text = try readFile(json, limit: reportLimit)
        let report = try Report(json: text, name: "bench: \(json)")
        if let why = report.unfit { throw SubcommandError("bench: \(json): \(why)") }
        let samples = try readFile(raw, limit: samplesLimit)
        if let why = try SampleFile(samples, name: raw).contradiction(report) {
            throw SubcommandError("bench: \(raw): \(why)")
        }
        let name = host ?? report.environment.hostName
        let archive = "\(into)/\(name)-\(fileName(String(report.method.started.prefix(10)))).tar.gz"
        if !Host.paths(matching: archive).isEmpty {
            throw SubcommandError("bench: \(archive) is there already: remove it, or --into another folder")
        }
        let environment = CSV.comments(report).map { printable($0) + "\n" }.joined()
        try pack(
            name, [("report.json", text), ("raw.csv", samples), ("environment.txt", Array(environment.utf8))], archive)
        try printResult("\(archive)\n")
        return 0
    }

    /// Packs what was checked and not what the folder has by now, from a folder of our own: in DIR any name may be a link.
    private func pack(_ name: String, _ files: [(name: String, bytes: [UInt8])], _ archive: String)
        throws(SubcommandError)
    {
        let scratch = try Output.makeScratchFolder()
        defer { Output.removeFolder(scratch) }
        try Output.makeFolder("\(scratch)/\(name)")
        for file in files {
            let output = try Output("\(scratch)/\(name)/\(file.name)")
            try output.write(file.bytes)
            try output.finish()
        }
        // -n: no name and no time within, so that the same samples make the same file.
        try run("/usr/bin/gzip", ["-9", "-n", "\(scratch)/\(name)/raw.csv"])
        // A colon in the archive's path is no host's name.
        try run(
            "/usr/bin/tar",
            ["-c", "-z", "--force-local", "--owner=0", "--group=0", "-C", scratch, "-f", archive, "--"]
                + ["report.json", "raw.csv.gz", "environment.txt"].map { "\(name)/\($0)" })
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
        if method.samples < 10 { return "\(method.samples) samples in a repeat: at least 10" }
        if let only = method.only { return "measured with --only \(only.joined(separator: ", "))" }
        if method.repeats < 10 { return "\(method.repeats) repeats: at least 10" }
        if method.build == .debug { return "made with a debug build" }
        if method.build == nil { return "it does not tell how swiftlet was built: made by an earlier one" }
        if let failure { return failure }
        let wanted = rows.filter { $0.unavailable == nil }
        if let row = wanted.first(where: { $0.total?.medians.count != method.repeats }) {
            return "\(row.id): not all repeats were done"
        }
        let exits = wanted.filter { $0.group == .exits }
        if !exits.isEmpty, exits.allSatisfy({ $0.floors.isEmpty }) {
            return "no bare KVM_RUN was timed beside its exits"
        }
        return wanted.isEmpty ? "nothing was measured" : nil
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
