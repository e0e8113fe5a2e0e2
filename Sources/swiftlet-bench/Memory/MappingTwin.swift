// The C twin of mapping (benchmarks/mapping): a child process that makes the same system calls in the same order and prints
// its samples, in the same repeat as the row beside it.
//
// Read next: ../../../benchmarks/mapping/mapping.h.

import Host

struct MappingTwin: Experiment {
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

extension Equipment {
    /// The row, with the twin's beside it.
    func mappingTwin(of row: some Experiment, _ arguments: [String], atMost most: Int) -> [any Experiment] {
        var subject = row.subject
        subject.id += "-twin"
        subject.variant += "-twin"
        subject.note = "in C"
        let folder = workshop.twin.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        let twin = MappingTwin(
            subject: subject, program: "\(folder)/mapping", arguments: arguments, most: most, workshop: workshop)
        return [Paired(row, beside: subject.id), twin]
    }
}

/// A row that has another beside it.
private struct Paired<Base: Experiment>: Experiment {
    let base: Base
    let subject: Subject

    init(_ base: Base, beside id: String) {
        self.base = base
        var subject = base.subject
        subject.beside = id
        self.subject = subject
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples { try base.measure(amount) }
}
