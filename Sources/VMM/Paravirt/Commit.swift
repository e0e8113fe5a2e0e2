// The commit call: the guest's edits of its page tables take effect. docs/ABI.md, "commit".
//
// Here only the new root is checked; the flush is the run loop's (it needs the vCPU), of several vCPUs ProcessorRunLoop's. Read next: Entropy.swift.

import CABI
import GuestMemory
import X86

extension VCPUContext {
    mutating func commit() -> Action {
        let call = arguments(swiftlet_commit.self)
        if call.root != 0 {
            guard call.root % AddressMap.pageSize == 0,
                platform.memory.contains(GuestAddress(call.root), AddressMap.pageSize)
            else { return misuse("commit: root 0x\(String(call.root, radix: 16)) is not a page of guest memory") }
        }
        pendingRoot = call.root
        return .commit
    }
}
