// `swiftlet clone`: many guests from one snapshot, in one process or each in its own. docs/clone.md.
//
// Read next: Fleet.swift, then ThreadCrew.swift and ProcessCrew.swift.

import ArgumentParser
import Host
import Snapshot
import Subcommand
import VMM

@main
struct CloneCommand: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "clone",
        abstract: "Run many guests from one snapshot.",
        usage: "[OPTIONS] -n N SNAPSHOT",
        discussion: """
            Each guest finds its number and how many there are in its call page, and has fresh entropy (docs/ABI.md). They \
            share the snapshot's memory until they write to it. What they write to their consoles comes out in whole lines, \
            with the guest's number before each; their input is at its end unless --input says otherwise.

            A summary on standard error tells how they ended and how long they took. Ctrl-C ends them all.

            Exit status: 0 all guests exited with 0; 1 some ended otherwise; 125 an error, or a guest that could not be \
            run; 128+n stopped by signal n; 141 nobody reads standard output any more.
            """)

    @Option(name: .customShort("n"), help: ArgumentHelp("How many guests.", valueName: "n"))
    var count: Int

    @Option(help: ArgumentHelp("So many at a time (default: all).", valueName: "n"))
    var jobs: Int?

    @Flag(help: "Each guest in a process of its own: a fork of this one.")
    var processes = false

    @Option(help: ArgumentHelp("Time limit of each guest.", valueName: "seconds"))
    var timeout: Seconds?

    @Option(help: ArgumentHelp("A file that every guest reads as its console's input.", valueName: "file"))
    var input: String?

    @Option(help: ArgumentHelp("Write consoles to files 0.out, 1.out, ... there instead.", valueName: "folder"))
    var output: String?

    @Flag(help: "Check the snapshot's memory too, before anything runs.")
    var verify = false

    @Flag(help: "No summary, no progress, no line for each guest that ended badly.")
    var quiet = false

    @Flag(help: "The summary as JSON on standard output; consoles then go to standard error.")
    var json = false

    @Argument(help: ArgumentHelp("The snapshot, as 'swiftlet run --snapshot' wrote it.", valueName: "snapshot"))
    var file: String

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        if !(1...100_000).contains(count) { throw SubcommandError("clone: -n: 1 to 100000 guests") }
        if let jobs, jobs < 1 { throw SubcommandError("clone: --jobs: 1 or more") }
        let plan = Plan(
            count: count, atOnce: min(jobs ?? count, count), inProcesses: processes, timeout: timeout?.nanoseconds,
            input: input)
        try plan.check(inFiles: output != nil)
        let outlet = try Outlet(folder: output, fd: json ? 2 : 1)
        let signals = try stopSignals()
        var fleet = try Fleet(plan, try crew(plan), outlet, isQuiet: quiet, signals)
        let stop = fleet.run()
        if json { try printResult(try JSON.text(Summary(fleet.lives, plan, fleet.nanoseconds))) }
        if !quiet { fleet.tell(Summary(fleet.lives, plan, fleet.nanoseconds).text) }
        return Self.status(of: fleet.lives, stop)
    }

    /// Blocked before any thread exists.
    private func stopSignals() throws(SubcommandError) -> StopSignals {
        do throws(MachineError) { return try blockStopSignals() } catch { throw SubcommandError(error.message) }
    }

    private func crew(_ plan: Plan) throws(SubcommandError) -> any Crew {
        do throws(SnapshotError) {
            let snapshot = try Snapshot(file)
            if verify { try snapshot.verify() }
            try snapshot.guardAgainstTruncation()
            if processes { return try ProcessCrew(snapshot, plan) }
            return ThreadCrew(try CloneSource(snapshot, count: UInt32(plan.count)), plan)
        } catch { throw SubcommandError(error.message) }
    }

    static func status(of lives: [Life], _ stop: Fleet.Stop?) -> Int32 {
        if let stop { return stop.status }
        if lives.contains(where: { $0.end == .error }) { return VMM.Stop.errorStatus }
        return lives.allSatisfy { $0.isGood } ? 0 : 1
    }
}
