// The grow call: more memory, up to `--mem-max`. docs/ABI.md, "grow".
//
// Backing first, then the slot, then the gate: a range is in guest memory only when everything behind it is there. A host
// that has no more is a result, not a stop. Read next: ../Stop.swift.

import Backing
import CABI
import GuestMemory
import KVM

extension VCPUContext {
    mutating func grow() -> Action {
        var call = arguments(swiftlet_grow.self)
        let range = platform.growMemory(by: call.size) ?? 0..<0
        call.start = range.lowerBound
        call.granted = range.upperBound - range.lowerBound
        answer(call)
        return .resume
    }
}

extension Platform {
    /// Nil when there is not as much to be had. By one vCPU at a time.
    fileprivate func growMemory(by size: UInt64) -> Range<UInt64>? {
        let top = memory.high.upperBound
        guard size > 0, slots.limit > top, size <= slots.limit - top else { return nil }
        let rounded = (size + slots.step - 1) & ~(slots.step - 1)
        let range = top..<top + min(rounded, slots.limit - top)
        guard (try? store?.extend(memory, by: range)) != nil || store == nil,
            (try? slots.add(range, of: memory)) != nil
        else { return nil }
        memory.grow(to: range.upperBound)
        return range
    }
}
