// `swiftlet serve`: a function call into a VM for whoever can open a socket. docs/serve.md.
//
// The main thread waits for signals and looks after connections that keep others waiting; the workers do the rest.
// Read next: ../Service/Server.swift, PoolService.swift.

import ArgumentParser
import Host
import Service
import Snapshot
import Subcommand
import VMM

@main
struct ServeCommand: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "serve",
        abstract: "Answer requests on a socket, each by a guest made from a snapshot.",
        usage: "[OPTIONS] --socket PATH SNAPSHOT",
        discussion: """
            Each request is a life of its own: a guest goes on from the snapshot, reads the request from its console to the \
            end of input, writes the answer there, and exits. Nothing of one request is left in another. 'swiftlet call \
            PATH' is a client for shells; docs/serve.md has the protocol, and a client in five lines of Python.

            SIGUSR2 has figures printed on standard error: calls, failures, latency; they are printed at the end too. \
            SIGTERM or Ctrl-C: takes no more requests, answers those that run, ends; a second one ends at once.

            Exit status: 0 it was ended by a signal and all that ran was answered; 1 some were not; 125 an error.
            """)

    @Option(help: ArgumentHelp("Where to listen; only this user may call.", valueName: "path"))
    var socket: String

    @Option(
        help: ArgumentHelp(
            "Guests that run at once, and are kept; more requests wait (default: one for each CPU).", valueName: "n"))
    var pool: Int?

    @Option(help: ArgumentHelp("Time limit of each guest.", valueName: "seconds"))
    var timeout = Seconds(10)

    @Option(
        help: ArgumentHelp("What a guest may write: bytes, or 64K, 1M.", valueName: "size"))
    var outputLimit = ByteCount(1 << 20)

    @Option(help: ArgumentHelp("What a request may have.", valueName: "size"))
    var requestLimit = ByteCount(1 << 20)

    @Option(help: ArgumentHelp("Connections at once; the slowest gives way.", valueName: "n"))
    var connections = 256

    @Flag(help: "One line for each request on standard output.")
    var log = false

    @Flag(help: "Check the snapshot's memory too, before anything runs.")
    var verify = false

    @Argument(help: ArgumentHelp("The snapshot, as 'swiftlet run --snapshot' wrote it.", valueName: "snapshot"))
    var file: String

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        let guests = pool ?? max(1, allowedCPUs().count)
        try check(guests)
        let signals = try signals()
        let service = try service(guests)
        let listener = try listener()
        var limits = ServiceLimits()
        (limits.workers, limits.request, limits.connections) = (guests, requestLimit.count, connections)
        let server: Server<PoolService>
        do throws(HostError) { server = try Server(service, at: listener, limits) } catch {
            throw SubcommandError("serve: \(error.message)")
        }
        tell("\(file) at \(socket), \(guests) at once; SIGUSR2: figures, SIGTERM: end")
        return watch(server, service, signals)
    }

    private func check(_ guests: Int) throws(SubcommandError) {
        if !(1...1024).contains(guests) { throw SubcommandError("serve: --pool: 1 to 1024 guests") }
        if !(1...100_000).contains(connections) { throw SubcommandError("serve: --connections: 1 to 100000") }
        if requestLimit.count >= 1 << 30 || outputLimit.count >= 1 << 30 {
            throw SubcommandError("serve: --request-limit and --output-limit: less than 1G")
        }
        let needed = connections + guests * 8 + 64
        let allowed = raiseFileLimit()
        if allowed < needed {
            throw SubcommandError(
                "serve: \(needed) open files may be needed, and \(allowed) are allowed: "
                    + "fewer --connections, or raise the limit (ulimit -Hn)")
        }
    }

    /// Blocked before any thread exists.
    private func signals() throws(SubcommandError) -> StopSignals {
        do throws(MachineError) { return try blockStopSignals() } catch { throw SubcommandError(error.message) }
    }

    private func service(_ guests: Int) throws(SubcommandError) -> PoolService {
        do throws(SnapshotError) {
            let snapshot = try Snapshot(file)
            if verify { try snapshot.verify() }
            try snapshot.guardAgainstTruncation()
            var options = PoolOptions()
            (options.kept, options.timeout, options.outputLimit) = (guests, timeout.nanoseconds, outputLimit.count)
            let pool = try Pool(snapshot, options)
            try pool.prepare(guests)
            return PoolService(pool, log: log)
        } catch { throw SubcommandError(error.message) }
    }

    private func listener() throws(SubcommandError) -> Listener {
        do throws(ListenError) { return try Listener(socket) } catch {
            throw SubcommandError("serve: \(error.message)")
        }
    }

    /// Until a signal; the exit status.
    private func watch(_ server: Server<PoolService>, _ service: PoolService, _ signals: borrowing StopSignals) -> Int32
    {
        while true {
            _ = wait(for: WaitFor(signals.fd), nanoseconds: 1_000_000_000)
            server.watch()
            switch signals.take() {
            case nil: break
            case snapshotSignal: tell(service.figures.text)
            case let signal?:
                tell("\(signalName(signal)): answering what runs")
                let isAll = server.stop(nanoseconds: timeout.nanoseconds + 5_000_000_000) { signals.take() != nil }
                tell(service.figures.text)
                if !isAll { tell("some requests were not answered") }
                return isAll ? 0 : 1
            }
        }
    }

    /// A last word must not hold up an end.
    private func tell(_ text: String) { writeText("swiftlet: serve: \(printable(text))\n", patience: lastWordPatience) }
}
