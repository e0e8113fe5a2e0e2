// The wall time call: the host's CLOCK_REALTIME. docs/ABI.md, "wall time".
//
// Read next: Poll.swift.

import CABI
import Host

extension VCPUContext {
    mutating func wallTime() -> Action {
        let now = Clock.realtime()
        answer(swiftlet_wall_time(seconds: now.seconds, nanoseconds: now.nanoseconds))
        return .resume
    }
}
