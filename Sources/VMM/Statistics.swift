// How long the phases of a run took: `--stats`.
//
// Exits are the observer's (Observe/ExitTable.swift). Read next: StatisticsReport.swift.

/// Nanoseconds for each phase of a run, in order; at most eight. In place: a start makes no array for its own bookkeeping.
public struct Phases: Sendable {
    private var phases: [8 of (name: StaticString, nanoseconds: UInt64)]
    private var count = 0
    private var last: UInt64
    /// CLOCK_MONOTONIC when the first began.
    let start: UInt64

    public init(start: UInt64) {
        phases = InlineArray(repeating: ("", 0))
        self.start = start
        last = start
    }

    /// Ends a phase now.
    public mutating func end(_ name: StaticString, at now: UInt64) {
        if count < phases.count { phases[count] = (name, now &- last) }
        count = min(count + 1, phases.count)
        last = now
    }

    /// Leaves out what is done between two phases.
    public mutating func pass(to now: UInt64) { last = now }

    public var list: [(name: StaticString, nanoseconds: UInt64)] { (0..<count).map { phases[$0] } }
}
