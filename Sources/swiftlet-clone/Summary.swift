// The end: how many guests ended how, and how long they took. For people, and as JSON (docs/clone.md has its fields).
//
// Read next: docs/clone.md.

import Measure
import Subcommand

struct Summary: Encodable {
    struct Guest: Encodable {
        let index: Int
        let end: Life.End
        let status: Int32
        let nanoseconds: UInt64
        let message: String?
    }
    struct Times: Encodable { let p50, p99, max: UInt64 }

    let count: Int
    let atOnce: Int
    let processes: Bool
    /// From the first one's start to the last one's end.
    let nanoseconds: UInt64
    /// Of each guest, from its making to its end; nil when none has ended.
    let times: Times?
    /// In the order of their numbers; those that did not start are not there.
    let guests: [Guest]

    init(_ lives: [Life], _ plan: Plan, _ nanoseconds: UInt64) {
        (count, atOnce, processes, self.nanoseconds) = (plan.count, plan.atOnce, plan.inProcesses, nanoseconds)
        times = Distribution(lives.map { Double($0.nanoseconds) }).map {
            Times(p50: UInt64($0.p50), p99: UInt64($0.p99), max: UInt64($0.max))
        }
        guests = lives.sorted { $0.index < $1.index }.map {
            Guest(
                index: $0.index, end: $0.end, status: $0.status, nanoseconds: $0.nanoseconds, message: $0.message)
        }
    }

    /// "100 guests in one process: 98 exited with 0, 2 timed out", and a line of times.
    var text: String {
        var ends: [String: Int] = [:]
        for guest in guests { ends[Self.words(guest), default: 0] += 1 }
        let counts = ends.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.value) \($0.key)" }
        let missing = count - guests.count
        let parts = counts + (missing > 0 ? ["\(missing) did not start"] : [])
        let place = processes ? "in a process each" : "in one process"
        let head = "\(count) guest\(count == 1 ? "" : "s") \(place): \(parts.joined(separator: ", "))"
        guard let times else { return head }
        return head
            + "\np50 \(duration(times.p50)), p99 \(duration(times.p99)), max \(duration(times.max)); "
            + "\(duration(nanoseconds)) in all"
    }

    private static func words(_ guest: Guest) -> String {
        switch guest.end {
        case .exit: "exited with \(guest.status)"
        case .timeout: "timed out"
        case .crash: "crashed"
        case .signal: "stopped"
        case .error: "could not be run"
        case .consoleGone: "lost the console"
        }
    }
}
