// `swiftlet host`: the chooser of an embedded hypervisor, on any terminal of any Linux. docs/host.md.
//
// Options become what the modules Catalogue and Hosting work with; this file knows what belongs to what.
// Read next: HostSetup.swift.

import ArgumentParser
import Host
import Hosting
import Subcommand

@main
struct HostCommand: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "host",
        abstract: "Choose, start and watch the machines of a catalogue, at a terminal.",
        usage: "[OPTIONS] --catalogue DIR, or swiftlet host --control SOCKET REQUEST [MACHINE]",
        discussion: """
            Shows the machines of a catalogue (a folder with a TOML file for each, docs/host.md) on this terminal: Enter \
            starts one and shows its console, which Ctrl-] leaves. Each runs by 'swiftlet run' in a process of its own.

            With --control and words behind it, it is a client of a host that runs: list, reload, or start, stop, restart, \
            console, stats or log with a machine's name.

            SIGTERM, or the key q: all machines are stopped; none is left behind.

            Exit status: 0; with --check 1 when an entry is bad; 125 an error.
            """)

    @Option(help: ArgumentHelp("A folder of machine definitions; may be given again.", valueName: "dir"))
    var catalogue: [String] = []

    @Flag(help: "Print the machines of the catalogue and end.")
    var list = false

    @Flag(help: "With --list, and with the requests list and stats: JSON for scripts.")
    var json = false

    @Flag(help: "Say what is wrong with the catalogue and end.")
    var check = false

    @Option(
        help: ArgumentHelp(
            "Show the chooser there, such as /dev/ttyS0; may be given again (default: this terminal).",
            valueName: "path"))
    var terminal: [String] = []

    @Flag(help: "No chooser: only --control and --metrics.")
    var headless = false

    @Option(
        help: ArgumentHelp(
            "A socket for requests; only this user may ask. With a request: where to ask.", valueName: "path"))
    var control: String?

    @Option(
        help: ArgumentHelp("Serve OpenMetrics there: unix:PATH or 127.0.0.1:PORT.", valueName: "address"))
    var metrics: String?

    @Option(help: ArgumentHelp("Write each machine's console to DIR/NAME.log too.", valueName: "dir"))
    var logs: String?

    @Option(help: ArgumentHelp("The key that leaves a machine's console, such as ^A.", valueName: "key"))
    var leaveKey = "^]"

    @Flag(help: "This server is ours: the chooser switches it off. Process 1 is always so.")
    var appliance = false

    @Option(
        help: ArgumentHelp(
            "For that run PROGRAM with 'poweroff' or 'reboot', such as /usr/bin/systemctl.", valueName: "program"))
    var power: String?

    @Argument(help: ArgumentHelp("What to ask at --control.", valueName: "request"))
    var request: [String] = []

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        guard let key = controlKey(leaveKey) else {
            throw SubcommandError("host: --leave-key: ^ and a letter or one of ] \\ ^ _, such as ^A or ^]")
        }
        if !request.isEmpty {
            guard let control else { throw SubcommandError("host: a request needs --control SOCKET") }
            if !catalogue.isEmpty { throw SubcommandError("host: a request goes to a host that runs: no --catalogue") }
            return try ControlClient(control, json: json, leaveKey: key).ask(request)
        }
        if catalogue.isEmpty { throw SubcommandError("host: --catalogue DIR is needed: try 'swiftlet host --help'") }
        let setup = try HostSetup(self)
        if check { return try setup.check() }
        if list {
            try setup.list(json: json)
            return 0
        }
        return try setup.run(leaveKey: key)
    }
}
