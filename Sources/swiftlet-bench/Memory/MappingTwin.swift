// The C twin of mapping (benchmarks/mapping), which makes the same system calls in the same order, beside a row.
//
// Read next: ../Programs/CProgram.swift, ../../../benchmarks/mapping/mapping.h.

extension Equipment {
    /// The row, with the twin's beside it.
    func mappingTwin(of row: some Experiment, _ arguments: [String], atMost most: Int) -> [any Experiment] {
        var subject = row.subject
        subject.id += "-twin"
        subject.variant += "-twin"
        subject.note = "in C"
        let twin = CProgram(
            subject: subject, program: workshop.cProgram("mapping"), arguments: arguments, most: most,
            workshop: workshop)
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
