// `swiftlet bench promises`: is what SPECIFICATION.md promises in numbers kept on this host?
//
// The C twin (benchmarks/twin) is what no abstraction costs; the two take turns, so that a busy host disturbs both alike.
// Read next: Contest.swift (how it is compared), then one file for each promise.

import ArgumentParser
import Host
import Measure
import Subcommand
import VMM

struct Promises: Subcommand {
    static let configuration = CommandConfiguration(
        commandName: "promises",
        abstract: "Check the promises of SPECIFICATION.md on this host, beside a C program that does the same.",
        usage: "swiftlet bench promises [--check] [--json] [--repeats <n>] [WHAT]",
        discussion: """
            startup: a whole run of the guest hello, from exec to exit. restore: of a snapshot of 16 \
            MiB, beside making a VM in C. reset: a pool's call into a clone. clones: memory for each of 500. resident: memory beside the guest's. roundtrip: a \
            port exit and back, measured in the guest. instructions: user-mode instructions for each exit (needs \
            valgrind). handler: the exit handler, fed with invented exits. native: guests that only compute, against the \
            same code as a process. block-ring, net-ring: disks and networks by ring, against a process \
            that makes the same system calls; block-call, net-call: by call, against an empty call and such a process. all: everything.

            'make bench' builds what this runs: the C twin, the guests, and the guests' code as processes.

            Exit status: 0 measured; 1 with --check when a promise is not kept; 125 an error.
            """)

    enum What: String, CaseIterable, ExpressibleByArgument {
        case startup, restore, reset, clones, resident, roundtrip, instructions, handler, native, all
        case blockRing = "block-ring"
        case netRing = "net-ring"
        case blockCall = "block-call"
        case netCall = "net-call"
    }

    @Flag(help: "Exit with 1 when a promise is not kept.")
    var check = false

    @Flag(help: "One JSON object on standard output, for scripts; progress on standard error.")
    var json = false

    @Option(help: ArgumentHelp("Pairs of runs (each benchmark has its own default; at least 10).", valueName: "n"))
    var repeats: Int?

    @OptionGroup var paths: PathOptions

    @Argument(help: ArgumentHelp("What to measure.", valueName: "what"))
    var what = What.all

    func perform() throws(SubcommandError) -> Int32 {
        if let repeats, repeats < 10 { throw SubcommandError("bench: --repeats \(repeats): at least 10") }
        let workshop = paths.workshop
        var report = PromiseReport(environment: currentEnvironment())
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
            (.startup, startup), (.restore, restore), (.reset, reset), (.clones, clones), (.resident, resident),
            (.roundtrip, roundTrip), (.native, native), (.blockRing, blockRing), (.netRing, netRing),
            (.blockCall, blockCall), (.netCall, netCall),
            (.handler, handler), (.instructions, instructions),
        ]
    }
}
