// `swiftlet bench`: what an exit, a mapping, a device and a start cost on this host, with everything that a reader needs to believe it.
//
// Read next: Method/Experiment.swift (what is measured, and how often), then Exits, Memory, Devices and Startup (the rows), Report
// (tables, files, pictures) and Promises.

import ArgumentParser
import Subcommand

@main
struct Bench: Subcommand {
    static let configuration: CommandConfiguration = {
        var configuration = CommandConfiguration.subcommand(
            "bench",
            abstract: "Measure what VM exits, guest memory, devices and a start cost on this host.",
            usage: "SUBCOMMAND [OPTIONS]",
            discussion: """
                Prints a table; writes JSON, CSV, raw samples, HdrHistograms and SVG plots. docs/measuring.md tells what each \
                row is, what disturbs it, and how to cite it.
                """)
        configuration.subcommands = [
            ExitsCommand.self, MemoryCommand.self, DevicesCommand.self, StartupCommand.self, AllCommand.self,
            CompareCommand.self,
            SubmitCommand.self, PageCommand.self, Promises.self,
        ]
        return configuration
    }()

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        throw SubcommandError("bench: measure what? 'swiftlet bench --help' tells")
    }
}
