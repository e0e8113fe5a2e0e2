// The fault address call: CR2 for the guest's page fault handler. docs/ABI.md, "fault address".
//
// CR2 can be read at ring 0 only, so the run loop asks KVM. It is the vCPU's register: nothing here keeps it.
// Read next: Reclaim.swift.

import CABI

extension VCPUContext {
    /// Gives the guest what the run loop has read.
    func answerFaultAddress(_ address: UInt64) { answer(swiftlet_fault_address(address: address)) }
}
