// Programs that take turns: one run of each, then one of each again, so that a busy host disturbs all alike.
//
// Rows that share these runs ask for them one after the other; the first that asks in a repeat of the session has them
// made. So the phases of a start are phases of the same starts, and a twin's runs lie between Swiftlet's.
// Read next: Startup/StartupRows.swift.

final class Turns<Key: Hashable, Value> {
    typealias Run = (Key) throws(ExperimentError) -> Value

    private let keys: [Key]
    private let equipment: Equipment
    private let run: Run
    private var values: [Key: [Value]] = [:]
    private var failures: [Key: ExperimentError] = [:]
    /// Rows that have had the values of this repeat.
    private var served: Set<String> = []

    init(_ keys: [Key], _ equipment: Equipment, run: @escaping Run) {
        self.keys = keys
        self.equipment = equipment
        self.run = run
    }

    /// `key`'s runs, without the first ones, in the order in which they were made.
    func values(of key: Key, for row: String, _ amount: Amount) throws(ExperimentError) -> [Value] {
        if values.isEmpty && failures.isEmpty || served.contains(row) { try runAll(amount) }
        served.insert(row)
        if let failure = failures[key] { throw failure }
        return Array((values[key] ?? []).dropFirst(amount.warmUps))
    }

    private func runAll(_ amount: Amount) throws(ExperimentError) {
        served = []
        values = [:]
        failures = [:]
        try equipment.onBothCPUs {
            for turn in 0..<amount.warmUps + amount.samples {
                for key in turn % 2 == 0 ? keys : keys.reversed() where failures[key] == nil { runOnce(key) }
            }
        }
    }

    /// A program that fails is not run again in this repeat; the others go on.
    private func runOnce(_ key: Key) {
        do throws(ExperimentError) { values[key, default: []].append(try run(key)) } catch { failures[key] = error }
    }
}
