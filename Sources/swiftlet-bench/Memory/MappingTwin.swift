// The C twin of mapping (benchmarks/mapping): a child process that makes the same system calls in the same order and prints
// its samples, in the same repeat as the row beside it.
//
// Read next: ../../../benchmarks/mapping/mapping.h.

import Subcommand

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
        let text: String
        do throws(SubcommandError) { text = try workshop.output(program, arguments) } catch {
            throw .unavailable("\(error.message) ('make -C benchmarks')")
        }
        let values = text.split(separator: "\n").compactMap { Double($0) }
        if values.isEmpty { throw .failed("\(program) \(arguments.joined(separator: " ")) printed no samples") }
        return Samples(total: values)
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
