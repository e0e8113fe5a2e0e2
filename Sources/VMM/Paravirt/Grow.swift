// The grow call: more memory, up to `--mem-max`. docs/ABI.md, "grow".
//
// A host that has no more is a result, not a stop. Read next: Backing/Growth.swift, Snapshot.swift.

import Backing
import CABI

extension VCPUContext {
    mutating func grow() -> Action {
        var call = arguments(swiftlet_grow.self)
        let range = platform.growth?.grow(platform.memory, by: call.size) ?? 0..<0
        call.start = range.lowerBound
        call.granted = range.upperBound - range.lowerBound
        answer(call)
        return .resume
    }
}
