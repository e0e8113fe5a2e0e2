// What a benchmark runs: swiftlet, its C twin and native programs, each with a time limit and a checked outcome.
//
// A run that fails ends the benchmark with an error: there is no figure without the outcome that belongs to it.
// Read next: Contest.swift.

import Host
import Subcommand

/// Paths, and how to run what lies there.
struct Workshop {
    let swiftlet: String
    let twin: String
    let guests: String

    /// Who runs a guest.
    enum Host: String {
        case swiftlet, twin
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
        }
    }

    /// Nanoseconds from exec to exit; its output is thrown away.
    func time(_ command: (program: String, arguments: [String])) throws(SubcommandError) -> Double {
        var child = try start(command.program, command.arguments, talks: false)
        let (end, nanoseconds) = child.finish(limit: Self.limit)
        try check(end, command.program)
        return Double(nanoseconds)
    }

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
        do throws(HostError) { return try ChildProcess(program, arguments, talks: talks, variables: variables) } catch {
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
