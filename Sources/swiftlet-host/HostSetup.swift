// From options to a host that runs: the catalogue is read, sockets and terminals are opened, the loop runs, all is put back.
//
// Read next: MachineList.swift.

import Catalogue
import Host
import Hosting
import Service
import Subcommand

struct HostSetup {
    private let options: HostCommand
    private let program: String
    private let runHelp: String
    private let catalogue: Catalogue
    private let power: ServerPower?
    private let bridges = BridgeSetup()

    init(_ options: HostCommand) throws(SubcommandError) {
        self.options = options
        program = "\(ownFolder() ?? "/usr/bin")/swiftlet"
        power = try Self.power(options)
        runHelp = try Self.runHelp(program)
        do throws(CatalogueError) {
            catalogue = try Catalogue(folders: options.catalogue, runOptions: runHelp)
        } catch {
            // Process 1 must not end: the kernel would with it. Its chooser says what is missing.
            if ownProcess != 1 { throw SubcommandError("host: \(error.message)") }
            catalogue = Catalogue(problem: error)
        }
    }

    private static func power(_ options: HostCommand) throws(SubcommandError) -> ServerPower? {
        if let program = options.power { return .program(program) }
        if ownProcess == 1 { return .kernel }
        if options.appliance {
            throw SubcommandError(
                "host: --appliance: only process 1 may switch a server off by itself: --power PROGRAM says who does, "
                    + "such as /usr/bin/systemctl")
        }
        return nil
    }

    /// Which options there are.
    private static func runHelp(_ program: String) throws(SubcommandError) -> String {
        var help = ""
        do throws(HostError) {
            var child = try ChildProcess(program, ["run", "--help"], talks: true)
            while let text = child.read(nanoseconds: 5_000_000_000) { help += text }
            _ = child.finish(limit: 5_000_000_000)
        } catch { throw SubcommandError("host: cannot run \(error.message)") }
        return help
    }

    /// Says what is wrong; 1 when anything is.
    func check() throws(SubcommandError) -> Int32 {
        var problems = 0
        var text = ""
        for entry in catalogue.entries {
            if case .failure(let problem) = entry.content {
                text += printable(problem.words) + "\n"
                problems += 1
            }
        }
        let count = catalogue.entries.count
        text += "\(count) machine\(count == 1 ? "" : "s"), \(problems == 0 ? "all well" : "\(problems) of them bad")\n"
        try printResult(text)
        return problems == 0 ? 0 : 1
    }

    func list(json: Bool) throws(SubcommandError) {
        let reports = catalogue.entries.map { MachineReport($0) }
        try printResult(json ? try JSON.text(reports) : machineTable(reports))
    }

    /// Until somebody ends it.
    func run(leaveKey: UInt8) throws(SubcommandError) -> Int32 {
        _ = raiseFileLimit()  // a machine needs three descriptors
        let supervisor = try supervisor()
        if ownProcess == 1 { takeCtrlAltDel() }
        let loop = HostLoop(supervisor)
        try addSockets(loop, supervisor)
        let sessions = try terminals(loop, supervisor, leaveKey)
        loop.run()
        for session in sessions { session.close() }
        return try end(supervisor.ending)
    }

    private func supervisor() throws(SubcommandError) -> Supervisor {
        do throws(HostError) {
            if let logs = options.logs { try makeFolder(logs) }
            return try Supervisor(
                catalogue.entries + bridges.setUp(catalogue.bridges), program: program, power: power,
                logs: options.logs, countExits: exitCount, readAnew: readAnew)
        } catch { throw SubcommandError("host: \(error.message)") }
    }

    /// The catalogue as it is now, and its bridges.
    private func readAnew() -> Result<[CatalogueEntry], CatalogueProblem> {
        do throws(CatalogueError) {
            let catalogue = try Catalogue(folders: options.catalogue, runOptions: runHelp)
            return .success(catalogue.entries + bridges.setUp(catalogue.bridges))
        } catch { return .failure(CatalogueProblem(words: error.message)) }
    }

    private func addSockets(_ loop: HostLoop, _ supervisor: Supervisor) throws(SubcommandError) {
        do throws(ListenError) {
            if let path = options.control {
                loop.add(ControlServer(try Listener(path), supervisor) { (try? JSON.text($0)) ?? "" })
            }
        } catch { throw SubcommandError("host: --control: \(error.message)") }
        do throws(ControlError) {
            if let address = options.metrics { loop.add(MetricsServer(try MetricsAddress(address), supervisor)) }
        } catch { throw SubcommandError("host: --metrics: \(error.message)") }
    }

    private func terminals(
        _ loop: HostLoop, _ supervisor: Supervisor, _ leaveKey: UInt8
    ) throws(SubcommandError) -> [TerminalSession] {
        if options.headless { return [] }
        var paths = options.terminal
        if paths.isEmpty {
            guard let path = terminalPath(0) else {
                throw SubcommandError(
                    "host: standard input is no terminal: --terminal PATH names one, --headless goes without")
            }
            paths = [path]
        }
        let facts = HostFacts(program)
        loop.add(facts)
        var sessions: [TerminalSession] = []
        for path in paths {
            let session = TerminalSession(
                path, isOnly: options.terminal.isEmpty, supervisor, facts, leaveKey: leaveKey)
            // Process 1 goes on without one that is missing, and tries again.
            if let why = session.openFirst(), ownProcess != 1 {
                for session in sessions { session.close() }
                throw SubcommandError("host: \(why)")
            }
            sessions.append(session)
            loop.add(session)
        }
        return sessions
    }

    private func end(_ ending: HostEnding?) throws(SubcommandError) -> Int32 {
        guard let power, let why = power.end(ending ?? .quit) else { return 0 }
        if ownProcess != 1 { throw SubcommandError("host: cannot end the server: \(why)") }
        writeText("swiftlet: host: cannot end the server: \(printable(why)): switch it off by hand\n")
        while true { _ = wait(for: WaitFor(-1), nanoseconds: nil) }
    }
}

/// How many exits the JSON of `--stats` counts.
private func exitCount(_ statistics: [UInt8]) -> UInt64? {
    struct Statistics: Decodable {
        struct Exit: Decodable { var count: UInt64 }
        var exits: [Exit]
    }
    guard let value = try? JSON.value(Statistics.self, statistics, name: "") else { return nil }
    return value.exits.reduce(0) { $0 &+ $1.count }
}
