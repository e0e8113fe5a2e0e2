// A C program of benchmarks/ that measures: a child process that prints a sample a line, in the same repeat as the row beside it.
//
// Its last two arguments are how many samples count, and how many come before them and do not.
// Read next: ../Memory/MappingTwin.swift, ../Devices/DeviceRows.swift.

import Host

struct CProgram: Experiment {
    var subject: Subject
    let program: String
    let arguments: [String]
    /// Samples in a repeat.
    let most: Int
    let workshop: Workshop

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(most)
        let arguments = arguments + ["\(amount.samples)", "\(amount.warmUps)"]
        if !workshop.isFile(program) {
            throw .unavailable("\(program) is not there: 'make -C benchmarks' builds it")
        }
        let (text, end) = try run(arguments)
        if end == .exited(Self.refused) { throw .unavailable("this host refuses what \(program) asks for") }
        try tryProgram(try workshop.check(end, program))
        let values = text.split(separator: "\n").compactMap { Double($0) }
        if values.isEmpty { throw .failed("\(program) \(arguments.joined(separator: " ")) printed no samples") }
        return Samples(total: values)
    }

    /// Its exit status where the host has no memory or does not know a request (main.c, fail).
    private static let refused: Int32 = 3

    private func run(_ arguments: [String]) throws(ExperimentError) -> (String, ChildEnd) {
        var child = try tryProgram(try workshop.start(program, arguments, talks: true))
        var text = ""
        while let more = child.read(nanoseconds: Workshop.limit) { text += more }
        return (text, child.finish(limit: Workshop.limit).end)
    }
}

extension Workshop {
    /// The path of a program that lies beside the twin.
    func cProgram(_ name: String) -> String {
        let folder = twin.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return "\(folder)/\(name)"
    }
}
