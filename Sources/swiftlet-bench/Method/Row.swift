// A row of the report: what was measured, every sample of it, and what they say.
//
// Raw samples stay with the row but out of the JSON object: `--raw` writes them, Report/ReportRow.swift makes the rest.
// Read next: Session.swift.

import Measure

struct Row: Sendable {
    private(set) var subject: Subject
    /// By part: the samples of each repeat; empty where it has none of that part.
    private(set) var samples: [(name: PartName, repeats: [[Double]])] = []
    /// Medians of the bare KVM_RUN beside each repeat, nanoseconds.
    private(set) var floors: [Double] = []
    private var hasNote = false
    /// Samples asked for in each repeat; nil where nobody asked.
    private let asked: Int?
    /// Why there is nothing.
    var unavailable: String?
    /// It should have worked and did not.
    var failed: String?

    /// Repeats that failed and were taken again.
    var repetitions = 0

    init(_ subject: Subject, asked: Int? = nil) {
        self.subject = subject
        self.asked = asked
    }

    /// What a reader must know of this row alone.
    var note: String? {
        let again = repetitions == 0 ? nil : "\(repetitions) repeats failed and were taken again"
        let notes = [subject.note, fewer, again].compactMap(\.self)
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    /// What a reader would otherwise take from the report's method.
    private var fewer: String? {
        let counts = repeats().map(\.count)
        guard let asked, let least = counts.min(), let most = counts.max(), least < asked else { return nil }
        return "\(least == most ? "\(least)" : "\(least) to \(most)") of \(asked) samples in each repeat"
    }

    mutating func add(_ new: Samples, floor: Double?) {
        let turn = samples.map(\.repeats.count).max() ?? 0
        for (name, exact) in new.parts {
            if !samples.contains(where: { $0.name == name }) { samples.append((name, [])) }
            guard let index = samples.firstIndex(where: { $0.name == name }) else { continue }
            // Not every repeat sees every part: the others keep their numbers.
            let missed = turn - samples[index].repeats.count
            samples[index].repeats += [[Double]](repeating: [], count: max(0, missed)) + [exact.map(Self.rounded)]
        }
        repetitions += new.repetitions
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

    /// The median of each repeat that has the part; every repeat has the total.
    func medians(_ part: PartName = .total) -> [Double] {
        repeats(part).filter { !$0.isEmpty }.map { percentile(0.5, ofSorted: $0.sorted()) }
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
