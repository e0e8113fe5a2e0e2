// The general registers in the page that a vCPU shares with the kernel: read and replaced without a system call.
//
// For whoever resumes a guest elsewhere than it stopped, at every exit: KVM_SET_REGS costs 6 us where an exit costs 30.
// The corresponding capability is `KVM_CAP_SYNC_REGS` (KVM API, section 7.3). Read next: Deprivileged/Trap.swift.

import CKVM

extension VCPU {
    /// As the last exit left them; what is set here is what the next run starts with. Needs `synchroniseRegisters()`.
    ///
    /// Never between an `IN`'s exit and the run that completes it: the kernel takes these first.
    public var synchronisedRegisters: Registers {
        get { unsafe shared.pointee.s.regs.regs }
        nonmutating set {
            unsafe shared.pointee.s.regs.regs = newValue
            unsafe shared.pointee.kvm_dirty_regs |= UInt64(KVM_SYNC_X86_REGS)
        }
    }
}
