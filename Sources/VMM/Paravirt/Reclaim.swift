// The reclaim call: the guest gives pages back to the host. docs/ABI.md, "reclaim".
//
// KVM drops its mapping of a page that leaves our address space (an MMU notifier), so the guest reads zeros at once.
// Read next: Grow.swift.

import Backing
import CABI
import GuestMemory
import X86

extension VCPUContext {
    mutating func reclaim() -> Action {
        let call = arguments(swiftlet_reclaim.self)
        let start = GuestAddress(call.start)
        guard (call.start | call.size) % AddressMap.pageSize == 0, platform.memory.contains(start, call.size) else {
            return misuse("reclaim: \(call.size) bytes at \(start.description) are not whole pages of guest memory")
        }
        platform.reclaims.wrappingAdd(1, ordering: .relaxed)
        let failure = MemoryStore.release(
            start, call.size, of: platform.memory, in: platform.store, isMapped: platform.isMapped)
        return failure == 0 ? .resume : end(.hostFailed("giving memory back", errno: failure))
    }
}
