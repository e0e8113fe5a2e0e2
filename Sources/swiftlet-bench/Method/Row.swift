// A row of the report: what was measured, every sample of it, and what they say.
//
// Raw samples stay with the row but out of the JSON object: `--raw` writes them, Report/ReportRow.swift makes the rest.
// Read next: Session.swift.

import Measure

struct Row: Sendable {
    private(set) var subject: Subject
    /// By part: the samples of each repeat.
    private(set) var samples: [(name: PartName, repeats: [[Double]])] = []
    /// Medians of the bare KVM_RUN beside each repeat, nanoseconds.
    private(set) var floors: [Double] = []
    private var hasNote = false
    /// Why there is nothing.
    var unavailable: String?
    /// It should have worked and did not.
    var failed: String?

    init(_ subject: Subject) { self.subject = subject }

    mutating func add(_ new: Samples, floor: Double?) {
        for (name, exact) in new.parts {
            let values = exact.map(Self.rounded)
            if let index = samples.firstIndex(where: { $0.name == name }) {
                samples[index].repeats.append(values)
            } else {
                samples.append((name, [values]))
            }
        }
        if let floor { floors.append(floor) }
        if let note = new.note { keep(note) }
    }

    /// Behind the subject's own; the first repeat's.
    private mutating func keep(_ note: String) {
        guard !hasNote else { return }
        hasNote = true
        subject.note = subject.note.map { "\($0); \(note)" } ?? note
    }

    func repeats(_ part: PartName = .total) -> [[Double]] { samples.first { $0.name == part }?.repeats ?? [] }

    /// The median of each repeat.
    func medians(_ part: PartName = .total) -> [Double] {
        repeats(part).map { percentile(0.5, ofSorted: $0.sorted()) }
    }

    /// Of each repeat's median to that of the bare KVM_RUN beside it.
    var floorRatio: Ratio? { subject.hasFloor ? Ratio(of: medians(), to: floors) : nil }
}

extension Row {
    /// To a tenth from 1000 on, else to a thousandth: finer than any clock here, and short in a file, so that `--raw` holds
    /// precisely the samples that the report's figures are made of.
    fileprivate static func rounded(_ value: Double) -> Double {
        let scale = abs(value) >= 1000 ? 10.0 : 1000.0
        return (value * scale).rounded() / scale
    }
}
