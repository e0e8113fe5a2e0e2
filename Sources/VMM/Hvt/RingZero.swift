// From a boot protocol's CPU state to KVM's registers, for guests that start in ring 0.
//
// Built from nothing, as in VCPUState.swift: every field is decided here. Read next: HvtRunLoop.swift.

import Boot
import KVM
import X86

extension VCPU {
    /// Gives a new vCPU its CPUID and registers.
    func loadRingZero(_ state: CPUState, _ cpuid: CPUID) throws(KVMError) {
        var regs = Registers()
        (regs.rip, regs.rsp, regs.rdi) = (state.rip, state.rsp, state.rdi)
        regs.rflags = RFLAGS.reserved1  // interrupts stay off: there is no interrupt controller
        try load(cpuid, longRegisters(state), regs)
    }
}

/// What Solo5's hvt starts a unikernel with.
func longRegisters(_ state: CPUState) -> SpecialRegisters {
    var sregs = SpecialRegisters()
    sregs.cr0 = CR0.protectedMode | CR0.numericError | CR0.writeProtect | CR0.paging
    sregs.cr3 = state.cr3
    sregs.cr4 = CR4.physicalAddressExtension | CR4.fxsave | CR4.simdExceptions
    sregs.efer = EFER.longModeEnable | EFER.longModeActive
    sregs.cs = .flat(HvtGDT.code, type: 0x9, privilege: 0, isLong: true)
    let data = Segment.flat(HvtGDT.data, type: 0x3, privilege: 0, isLong: false)
    (sregs.ss, sregs.ds, sregs.es, sregs.fs, sregs.gs) = (data, data, data, data, data)
    sregs.tr = .taskState()
    sregs.ldt.unusable = 1
    sregs.gdt.base = HvtGDT.base
    sregs.gdt.limit = HvtGDT.limit
    return sregs
}
