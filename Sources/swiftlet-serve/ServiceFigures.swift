// What a server has done so far: how many calls ended how, and how long they took.
//
// Read next: ../swiftlet-call/CallCommand.swift.

import Histogram
import Service
import Subcommand

struct ServiceFigures {
    private(set) var calls = 0
    var refused = 0
    private var ends: [String: Int] = [:]
    /// Of all calls, nanoseconds, three digits.
    private var times = Histogram<UInt64>(numberOfSignificantValueDigits: .three)

    mutating func count(_ end: CallEnd, _ nanoseconds: UInt64) {
        calls += 1
        times.record(nanoseconds)
        let key =
            switch end {
            case .exited(0): ""
            case .exited: "another status"
            default: end.words
            }
        ends[key, default: 0] += 1
    }

    /// "120 calls: 118 exited with 0, 1 timeout, 1 crash; 0 refused; p50 94.1 us, p99 130.2 us, max 1.3 ms"
    var text: String {
        let others = ends.filter { $0.key != "" }.sorted { $0.key < $1.key }.map { ", \($0.value) \($0.key)" }.joined()
        let head = "\(calls) calls: \(ends["", default: 0]) exited with 0\(others); \(refused) refused"
        if calls == 0 { return head }
        let (p50, p99, max) = (times.valueAtPercentile(50), times.valueAtPercentile(99), times.valueAtPercentile(100))
        return "\(head); p50 \(duration(p50)), p99 \(duration(p99)), max \(duration(max))"
    }
}
