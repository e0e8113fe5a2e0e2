// The session: all experiments once, then all again, in another order, so that drift of the host meets all alike.
//
// Beside each experiment, in each repeat, the bare KVM_RUN is timed: the floor. Their ratio is what can be compared
// between two days, for both met the same minute. Read next: Floor.swift, then Report/Report.swift.

import Host
import Measure

/// The same, each that stands beside another right behind or before it, or with nothing between but others that stand beside
/// the same: what is compared meets the same moment. A row that has its partner elsewhere is moved behind it.
func neighbouring(_ experiments: [any Experiment]) -> [any Experiment] {
    var list = experiments
    for row in experiments {
        func place(_ id: String) -> Int? { list.firstIndex { $0.subject.id == id } }
        guard let beside = row.subject.beside, let from = place(row.subject.id), let partner = place(beside),
            abs(from - partner) > experiments.count(where: { $0.subject.beside == beside })
        else { continue }
        list.remove(at: from)
        list.insert(row, at: partner < from ? partner + 1 : partner)
    }
    return list
}

struct Session {
    let repeats: Int
    let amount: Amount
    private(set) var rows: [Row]
    /// It was asked to end before all repeats were done.
    private(set) var isPartial = false
    private let experiments: [any Experiment]

    init(_ experiments: [any Experiment], repeats: Int, amount: Amount) {
        self.experiments = experiments
        self.repeats = repeats
        self.amount = amount
        rows = experiments.map { Row($0.subject, asked: amount.samples) }
    }

    /// Measures everything. `floor` times the bare KVM_RUN; `tell` hears of progress (steps done, steps in all, what is next);
    /// once `isStopped` says so, what was measured so far is all: a step that a stop may have disturbed does not count.
    mutating func run(
        floor: () throws(ExperimentError) -> Double, tell: (Int, Int, String) -> Void, isStopped: () -> Bool = { false }
    ) {
        var done = 0
        for turn in 0..<repeats {
            for index in order(turn) {
                tell(done, repeats * experiments.count, rows[index].subject.id)
                done += 1
                let before = rows[index]
                if before.unavailable == nil, before.failed == nil { measure(index, turn, floor, attempts: 3) }
                if isStopped() {
                    rows[index] = before
                    isPartial = true
                    return
                }
            }
        }
    }

    /// What fails is tried again at once: one accident in ten repeats is not a row's end, and a repeat left out would pair the
    /// rest with another row's wrong ones. What a host cannot do it cannot from the first.
    private mutating func measure(
        _ index: Int, _ turn: Int, _ floor: () throws(ExperimentError) -> Double, attempts: Int
    ) {
        var amount = amount
        amount.turn = turn
        do throws(ExperimentError) {
            let before = rows[index].subject.hasFloor ? try floor() : nil
            let samples = try experiments[index].measure(amount)
            if samples.total.isEmpty { throw .failed("it gave no samples") }
            let after = rows[index].subject.hasFloor ? try floor() : nil
            rows[index].add(samples, floor: before.flatMap { before in after.map { (before + $0) / 2 } })
        } catch {
            let isNew = rows[index].samples.isEmpty
            switch error {
            case .unavailable(let why) where isNew: rows[index].unavailable = why
            case .unavailable(let why), .failed(let why):
                if attempts == 1 {
                    rows[index].failed = why
                } else {
                    rows[index].repetitions += 1
                    measure(index, turn, floor, attempts: attempts - 1)
                }
            }
        }
    }

    /// Forwards and backwards in turn: neighbours stay neighbours, and neither always comes first.
    private func order(_ turn: Int) -> [Int] {
        turn % 2 == 0 ? Array(experiments.indices) : experiments.indices.reversed()
    }
}
