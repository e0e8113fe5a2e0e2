// `swiftlet bench`: are the promises in numbers kept on this host? Each against a C program that does the same work.
//
// The C twin (benchmarks/twin) is what no abstraction costs; the two take turns, so that a busy host disturbs both alike.
// Read next: Workshop.swift (what runs), Contest.swift (how it is compared), then one file for each benchmark.

import ArgumentParser
import Host
import Measure
import Subcommand
import VMM

@main
struct Bench: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "bench",
        abstract: "Measure what Swiftlet costs, beside a C program that does the same work.",
        usage: "[--check] [--json] [--repeats N] [WHAT]",
        discussion: """
            startup: a whole run of the guest hello, from exec to exit. memory: what stays resident beside the guest's. \
            roundtrip: a port exit and back, measured in the guest. instructions: user-mode instructions for each exit \
            (needs valgrind). handler: the exit handler, fed with invented exits. native: guests that only compute, \
            against the same code as a process. all: everything.

            'make bench' builds what this runs: the C twin, the guests, and the guests' code as processes.

            Exit status: 0 measured; 1 with --check when a promise is not kept; 125 an error.
            """)

    enum What: String, CaseIterable, ExpressibleByArgument {
        case startup, memory, roundtrip, instructions, handler, native, all
    }

    @Flag(help: "Exit with 1 when a promise is not kept.")
    var check = false

    @Flag(help: "One JSON object on standard output, for scripts; progress on standard error.")
    var json = false

    @Option(help: ArgumentHelp("Pairs of runs (each benchmark has its own default; at least 10).", valueName: "n"))
    var repeats: Int?

    @Option(help: ArgumentHelp("The swiftlet to measure (the one beside this program).", valueName: "program"))
    var swiftlet: String?

    @Option(help: ArgumentHelp("The C twin.", valueName: "program"))
    var twin = "benchmarks/build/twin"

    @Option(help: ArgumentHelp("Where NAME.elf and native/NAME are.", valueName: "folder"))
    var guests = "guests/build"

    @Argument(help: ArgumentHelp("What to measure.", valueName: "what"))
    var what = What.all

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        if let repeats, repeats < 10 { throw SubcommandError("bench: --repeats \(repeats): at least 10") }
        let workshop = Workshop(swiftlet: swiftlet ?? neighbour("swiftlet"), twin: twin, guests: guests)
        let modules = paths(matching: "/sys/module/kvm_*").compactMap { $0.split(separator: "/").last.map(String.init) }
        let environment = Environment(versions: ["swiftlet": swiftletVersion], modules: modules) { kernelText($0) }
        var report = Report(environment: environment)
        if !json { try printResult(report.heading) }
        for (benchmark, run) in benchmarks where what == .all || what == benchmark {
            writeText("swiftlet: bench: \(benchmark)\n")
            for finding in try run(workshop, repeats) {
                report.findings.append(finding)
                if !json { try printResult(finding.text) }
            }
        }
        try printResult(json ? try JSON.text(report) : report.verdict)
        return check && !report.isKept ? 1 : 0
    }

    private typealias Benchmark = (Workshop, Int?) throws(SubcommandError) -> [Finding]

    /// In the order in which `all` runs them: what noise disturbs most comes first, while the host is cool.
    private var benchmarks: [(What, Benchmark)] {
        [
            (.startup, startup), (.memory, memory), (.roundtrip, roundTrip), (.native, native), (.handler, handler),
            (.instructions, instructions),
        ]
    }
}

/// A program in the same folder as this one.
private func neighbour(_ name: String) -> String { "\(ownFolder() ?? ".")/\(name)" }

/// A small file of /proc or /sys.
func kernelText(_ path: String) -> String? {
    do throws(HostError) {
        return String(decoding: try File.regular(path).read(at: 0, 1 << 20), as: UTF8.self)
    } catch { return nil }
}
