// The subcommands that measure: exits, memory, devices, startup, all. They differ in their rows only.
//
// Read next: MeasureOptions.swift, then Method/Session.swift.

import ArgumentParser
import Host
import Subcommand

struct ExitsCommand: Subcommand {
    static let configuration = measuring(
        "exits", "What a VM exit costs, of each kind: from ring 3, ring 0 and real mode.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.exits]) }
}

struct MemoryCommand: Subcommand {
    static let configuration = measuring(
        "memory", "What guest memory costs: slots, mapping, first touch, dirty logging.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.memory]) }
}

struct DevicesCommand: Subcommand {
    static let configuration = measuring(
        "devices", "What disks and networks cost by ring and by call, beside a process and io_uring.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.devices]) }
}

struct StartupCommand: Subcommand {
    static let configuration = measuring("startup", "What each phase of a start costs, cold and repeated.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run([.startup]) }
}

struct AllCommand: Subcommand {
    static let configuration = measuring("all", "Exits, memory, devices and startup.")
    @OptionGroup var options: MeasureOptions
    func perform() throws(SubcommandError) -> Int32 { try options.run(Group.allCases) }
}

private func measuring(_ name: String, _ abstract: String) -> CommandConfiguration {
    CommandConfiguration(
        commandName: name, abstract: abstract, usage: "swiftlet bench \(name) [OPTIONS]",
        discussion: """
            Prints a table; progress and the time left are on standard error. Ctrl-C ends it after the current step with a \
            report of what was measured so far, marked as partial.

            Exit status: 0 measured; 1 measured, but rows failed; 125 an error; 128+n ended by signal n.
            """)
}

/// Where to find what is measured.
struct PathOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The swiftlet to measure (the one beside this program).", valueName: "program"))
    var swiftlet: String?

    @Option(help: ArgumentHelp("The C twin (benchmarks/build/twin).", valueName: "program"))
    var twin: String?

    @Option(help: ArgumentHelp("Where the guests were built (guests/build).", valueName: "folder"))
    var guests: String?

    var workshop: Workshop {
        Workshop(
            swiftlet: swiftlet ?? "\(ownFolder() ?? ".")/swiftlet",
            twin: twin ?? Self.found("benchmarks/build/twin"),
            guests: guests ?? Self.found("guests/build"))
    }

    /// Here, or else where this program was built: bin/ lies beside both.
    private static func found(_ path: String) -> String {
        let built = "\(ownFolder() ?? ".")/../\(path)"
        return Host.paths(matching: path).isEmpty && !Host.paths(matching: built).isEmpty ? built : path
    }
}
