// What a benchmark runs: swiftlet, its C twin and native programs, each with a time limit and a checked outcome.
//
// A run that fails ends the benchmark with an error: there is no figure without the outcome that belongs to it.
// Read next: Contest.swift.

import Host
import Subcommand
import Synchronization

/// Paths, and how to run what lies there.
struct Workshop {
    let swiftlet: String
    let twin: String
    let guests: String
    /// Ends every wait for a program early.
    let interruption = Interruption()

    /// Who runs a guest.
    enum Host: String {
        case swiftlet, twin
        /// Swiftlet, with all rights kept.
        case unconfined = "no-sandbox"
    }

    /// No run takes this long on any host; one that does is stuck.
    static let limit: UInt64 = 60_000_000_000

    /// Bytes; 10,000 samples are 100 KiB.
    private static let longestOutput = 16 << 20

    func image(_ guest: String) -> String { "\(guests)/\(guest).elf" }

    /// The command that runs a guest: a program and its arguments.
    func command(_ host: Host, _ guest: String, _ arguments: [String]) -> (program: String, arguments: [String]) {
        switch host {
        case .swiftlet: (swiftlet, ["run", image(guest)] + arguments)
        case .twin: (twin, [image(guest)] + arguments)
        case .unconfined: (swiftlet, ["run", "--no-sandbox", image(guest)] + arguments)
        }
    }

    /// Nanoseconds from exec to exit; its output is thrown away.
    func time(_ command: (program: String, arguments: [String])) throws(SubcommandError) -> Double {
        var child = try start(command.program, command.arguments, talks: false)
        let (end, nanoseconds) = child.finish(limit: Self.limit)
        try check(end, command.program)
        return Double(nanoseconds)
    }

    /// That a program, which is to be timed with its output thrown away, is what it is taken for: by what the guest hello says.
    func checkGreeting(_ host: Host) throws(SubcommandError) {
        let (program, arguments) = command(host, "hello", [])
        if try output(program, arguments) == Self.greeting { return }
        throw SubcommandError(
            "bench: \(program) does not print what the guest hello says: is it \(host.rawValue), or the guest another?")
    }

    /// guests/hello
    private static let greeting = "Hello from ring 3!\n"

    /// What a program writes on standard output.
    func output(
        _ program: String, _ arguments: [String], limit: UInt64 = Self.limit
    ) throws(SubcommandError) -> String {
        var child = try start(program, arguments, talks: true)
        try? child.closeInput()
        var text = ""
        while let more = child.read(nanoseconds: limit) {
            text += more
            if text.utf8.count > Self.longestOutput { throw SubcommandError("bench: \(program) writes without end") }
        }
        try check(child.finish(limit: limit).end, program)
        return text
    }

    /// The number behind a word at the start of a line of a program's output.
    func number(
        _ word: String, of command: (program: String, arguments: [String])
    ) throws(SubcommandError) -> Double {
        let text = try output(command.program, command.arguments)
        for line in text.split(separator: "\n") where line.hasPrefix(word + " ") {
            if let number = Double(line.dropFirst(word.utf8.count + 1)) { return number }
        }
        throw SubcommandError("bench: \(command.program) printed no '\(word) NUMBER'")
    }

    func start(
        _ program: String, _ arguments: [String], talks: Bool, variables: [String] = []
    ) throws(SubcommandError) -> ChildProcess {
        do throws(HostError) {
            return try ChildProcess(
                program, arguments, talks: talks, variables: variables, stop: interruption.descriptor)
        } catch {
            throw SubcommandError("bench: \(error.message): 'make build' and 'make -C benchmarks' build what it needs")
        }
    }

    func check(_ end: ChildEnd, _ program: String) throws(SubcommandError) {
        switch end {
        case .exited(0): return
        case .exited(let status): throw SubcommandError("bench: \(program) ended with status \(status)")
        case .killed(let signal): throw SubcommandError("bench: \(program) was killed by \(signalName(signal))")
        case .overtime: throw SubcommandError("bench: \(program) was stuck and was killed")
        }
    }
}

/// The descriptor that says that bench shall end: a child that hangs must not keep us waiting for its limit.
final class Interruption: Sendable {
    private let signals = Atomic<Int32>(-1)

    /// Nil until there is one.
    var descriptor: Int32? {
        let descriptor = signals.load(ordering: .acquiring)
        return descriptor < 0 ? nil : descriptor
    }

    func watch(_ signals: borrowing StopSignals) { self.signals.store(signals.fd, ordering: .releasing) }

    /// Before the descriptor is closed.
    func end() { signals.store(-1, ordering: .releasing) }
}
