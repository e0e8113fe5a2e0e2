// How long calls take, seen from outside: what `--repeat` prints.
//
// Read next: ../swiftlet-clone/CloneCommand.swift.

import Host
import Measure
import Service
import Subcommand

struct CallTimes {
    /// Nanoseconds.
    private var samples: [Double] = []
    private(set) var status: Int32 = 0
    private var failed = 0

    mutating func time(_ call: () throws(CallError) -> CallAnswer) throws(CallError) {
        let start = Clock.monotonic()
        let answer = try call()
        samples.append(Double(Clock.monotonic() - start))
        if answer.end == .exited(0) { return }
        failed += 1
        if status == 0 { status = answer.end.exitStatus }
    }

    var text: String {
        guard let times = Distribution(samples) else { return "" }
        func time(_ value: Double) -> String { duration(UInt64(value)) }
        return "\(times.n) calls, \(failed) of them not exited with 0\n"
            + "min \(time(times.min)), p50 \(time(times.p50)), p99 \(time(times.p99)), max \(time(times.max))\n"
    }
}
