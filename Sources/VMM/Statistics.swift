// What a run counted and how long its phases took: `--stats`.
//
// Counting is an increment in a fixed array on the vCPU's own stack: no lock, no allocation. Read next: StatisticsReport.swift.

import CABI

/// Exits by call number, and the others.
struct Statistics: Sendable {
    private var calls = [32 of UInt64](repeating: 0)
    var kicks: UInt64 = 0

    @inline(__always)
    mutating func count(call number: Int32) {
        calls[Int(truncatingIfNeeded: number &- SWIFTLET_CALL_EXIT)] &+= 1
    }

    /// Calls that were made at least once: number and count.
    var madeCalls: [(number: Int32, count: UInt64)] {
        (0..<32).filter { calls[$0] > 0 }.map { (Int32($0) + SWIFTLET_CALL_EXIT, calls[$0]) }
    }
}

/// Nanoseconds for each phase of a run, in order; at most eight. In place: a start makes no array for its own bookkeeping.
public struct Phases: Sendable {
    private var phases: [8 of (name: StaticString, nanoseconds: UInt64)]
    private var count = 0
    private var last: UInt64

    public init(start: UInt64) {
        phases = InlineArray(repeating: ("", 0))
        last = start
    }

    /// Ends a phase now.
    public mutating func end(_ name: StaticString, at now: UInt64) {
        if count < phases.count { phases[count] = (name, now &- last) }
        count = min(count + 1, phases.count)
        last = now
    }

    public var list: [(name: StaticString, nanoseconds: UInt64)] { (0..<count).map { phases[$0] } }
}
