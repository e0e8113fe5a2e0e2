// Programs that take turns: one run of each, then one of each again, so that a busy host disturbs all alike.
//
// Rows that share these runs ask for them one after the other; the first that asks in a repeat of the session has them
// made, for all. So the phases of a start are phases of the same starts, and a twin's runs lie between Swiftlet's.
// Read next: Startup/StartupRows.swift.

final class InterleavedRuns<Key: Hashable, Value> {
    typealias Run = (Key) throws(ExperimentError) -> Value

    private let keys: [Key]
    private let equipment: Equipment
    private let run: Run
    private var values: [Key: [Value]] = [:]
    /// Programs that failed in each attempt of a repeat, or that this host cannot run: not tried again.
    private var failures: [Key: ExperimentError] = [:]
    /// The repeat that the values are of.
    private var turn: Int?
    /// How often all runs of this repeat were made again because one had failed: what is compared is of one attempt.
    private(set) var repetitions = 0

    init(_ keys: [Key], _ equipment: Equipment, run: @escaping Run) {
        self.keys = keys
        self.equipment = equipment
        self.run = run
    }

    /// `key`'s runs of the amount's repeat, without the first ones, in the order in which they were made.
    func values(of key: Key, _ amount: Amount) throws(ExperimentError) -> [Value] {
        if turn != amount.turn { try runAll(amount, attempts: 3) }
        if let failure = failures[key] { throw failure }
        return Array((values[key] ?? []).dropFirst(amount.warmUps))
    }

    private func runAll(_ amount: Amount, attempts: Int) throws(ExperimentError) {
        for attempt in 0..<attempts {
            repetitions = attempt
            let accidents = try runOnce(amount)
            if accidents.isEmpty { break }
            if attempt == attempts - 1 { failures.merge(accidents) { $1 } }
        }
        turn = amount.turn
    }

    /// Every program in turn. One that has an accident is not run again in this attempt; the others go on.
    private func runOnce(_ amount: Amount) throws(ExperimentError) -> [Key: ExperimentError] {
        values = [:]
        var accidents: [Key: ExperimentError] = [:]
        try equipment.onBothCPUs {
            for turn in 0..<amount.total {
                for key in turn % 2 == 0 ? keys : keys.reversed() {
                    if failures[key] != nil || accidents[key] != nil { continue }
                    do throws(ExperimentError) { values[key, default: []].append(try run(key)) } catch {
                        if case .unavailable = error, self.turn == nil {
                            failures[key] = error
                        } else {
                            accidents[key] = error
                        }
                    }
                }
            }
        }
        return accidents
    }
}
