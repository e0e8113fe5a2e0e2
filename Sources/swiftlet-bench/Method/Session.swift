// The session: all experiments once, then all again, in another order, so that drift of the host meets all alike.
//
// Beside each experiment, in each repeat, the bare KVM_RUN is timed: the floor. Their ratio is what can be compared
// between two days, for both met the same minute. Read next: Floor.swift, then Report/Report.swift.

import Host
import Measure

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
        rows = experiments.map { Row($0.subject) }
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
                if before.unavailable == nil, before.failed == nil { measure(index, floor) }
                if isStopped() {
                    rows[index] = before
                    isPartial = true
                    return
                }
            }
        }
    }

    private mutating func measure(_ index: Int, _ floor: () throws(ExperimentError) -> Double) {
        do throws(ExperimentError) {
            let before = rows[index].subject.hasFloor ? try floor() : nil
            let samples = try experiments[index].measure(amount)
            let after = rows[index].subject.hasFloor ? try floor() : nil
            rows[index].add(samples, floor: before.flatMap { before in after.map { (before + $0) / 2 } })
        } catch {
            switch error {
            case .unavailable(let why): rows[index].unavailable = why
            case .failed(let why): rows[index].failed = why
            }
        }
    }

    /// Forwards and backwards in turn: neighbours stay neighbours, and neither always comes first.
    private func order(_ turn: Int) -> [Int] {
        turn % 2 == 0 ? Array(experiments.indices) : experiments.indices.reversed()
    }
}
