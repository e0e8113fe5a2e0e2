// `swiftlet doctor`: can this host run guests, and how well: found out by asking KVM and by measuring.
//
// Four steps: look at the host, ask KVM what it can do, measure with throw-away machines, and say what to fix. All of it
// ends: each probe has a time limit. Read next: Examination.swift.

import ArgumentParser
import Host
import Subcommand

@main
struct Doctor: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "doctor",
        abstract: "Tell whether this host can run guests, how well, and what to fix: measured.",
        usage: "[--json]",
        discussion: """
            Looks at /dev/kvm, the CPU, KVM's capabilities and huge pages, measures what an exit costs and whether ring 0 \
            is emulated, and ends with a verdict in one line. Takes less than a second on most hosts, ten at most.

            Exit status: 0 this host can run guests; 1 it cannot, and the last line says why; 125 a wrong option.

            docs/doctor.md describes the fields of --json.
            """)

    @Flag(help: "One JSON object on standard output, for scripts.")
    var json = false

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        let diagnosis = Diagnosis(Examination())
        try printResult(json ? try JSON.text(diagnosis) : diagnosis.text)
        return diagnosis.canRun ? 0 : 1
    }
}
