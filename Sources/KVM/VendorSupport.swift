// What another vendor's interface needs of KVM: that none of KVM's own is left beside it, and Xen's calls by instruction.
//
// Read next: VMM/Identity/Identity.swift.

import CKVM

extension VCPU {
    /// KVM's own MSRs and calls exist only where CPUID says so: without its leaves not at all. Before Linux 5.10 they stay.
    /// The corresponding capability is `KVM_CAP_ENFORCE_PV_FEATURE_CPUID`.
    public func hideUnlistedFeatures() { _ = ckvm_enable_cap(fd, UInt32(KVM_CAP_ENFORCE_PV_FEATURE_CPUID), 1) }
}

extension VM {
    /// Has VMCALL and VMMCALL be exits with Xen's registers; false where this KVM keeps them (built without CONFIG_KVM_XEN).
    /// The corresponding ioctl is `KVM_XEN_HVM_CONFIG`.
    public func interceptXenCalls(msr: UInt32) -> Bool {
        capability(KVM_CAP_XEN_HVM) & Int(KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL) != 0 && ckvm_intercept_xen(fd, msr) == 0
    }
}

extension VCPU {
    /// The call of an exit for CKVM_EXIT_XEN: registers as the guest filled them, its mode, its privilege level; nil: another
    /// kind of such an exit.
    public var xenCall: (registers: Registers, isLong: Bool, privilege: UInt32)? {
        let call = unsafe shared.pointee.xen.u.hcall
        guard unsafe shared.pointee.xen.type == UInt32(KVM_EXIT_XEN_HCALL) else { return nil }
        var registers = Registers()
        registers.rax = call.input
        let isLong = call.longmode != 0
        if isLong {
            (registers.rdi, registers.rsi, registers.rdx) = (call.params.0, call.params.1, call.params.2)
        } else {
            (registers.rbx, registers.rcx, registers.rdx) = (call.params.0, call.params.1, call.params.2)
        }
        return (registers, isLong, call.cpl)
    }

    /// What goes to RAX, and the guest goes on behind the instruction.
    public func answerXenCall(_ result: UInt64) { unsafe shared.pointee.xen.u.hcall.result = result }
}
