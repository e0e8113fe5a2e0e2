// From a kernel's first state to KVM's registers: real, protected or long mode in ring 0.
//
// Built from nothing, as in VCPUState.swift: every field is decided here. Read next: KernelCPUID.swift.

import Boot
import KVM
import X86

extension VCPU {
    /// Gives a new vCPU its CPUID and registers.
    func load(_ state: KernelState, _ cpuid: CPUID) throws(KVMError) {
        var regs = Registers()
        (regs.rip, regs.rsp, regs.rsi) = (state.rip, state.rsp, state.rsi)
        (regs.rax, regs.rbx, regs.rdx) = (state.rax, state.rbx, state.rdx)
        regs.rflags = RFLAGS.reserved1
        try load(cpuid, kernelRegisters(state), regs)
    }
}

func kernelRegisters(_ state: KernelState) -> SpecialRegisters {
    var sregs = SpecialRegisters()
    sregs.cr0 = CR0.extensionType
    let data: Segment
    switch state.mode {
    case .real:
        sregs.cs = .real(state.code, type: 0xb)
        data = .real(state.data, type: 0x3)
        sregs.idt.limit = 0x3ff
    case .protected:
        sregs.cr0 |= CR0.protectedMode
        sregs.cs = .flat(state.code, type: 0xb, privilege: 0, isLong: false)
        data = .flat(state.data, type: 0x3, privilege: 0, isLong: false)
    case .long:
        sregs.cr0 |= CR0.protectedMode | CR0.paging
        sregs.cr3 = state.cr3
        sregs.cr4 = CR4.physicalAddressExtension
        sregs.efer = EFER.longModeEnable | EFER.longModeActive
        sregs.cs = .flat(state.code, type: 0xb, privilege: 0, isLong: true)
        data = .flat(state.data, type: 0x3, privilege: 0, isLong: false)
    }
    (sregs.ss, sregs.ds, sregs.es, sregs.fs, sregs.gs) = (data, data, data, data, data)
    sregs.tr = .taskState(limit: 0x67)
    sregs.ldt.unusable = 1
    (sregs.gdt.base, sregs.gdt.limit) = (state.gdt, state.gdtLimit)
    // The bootstrap processor's, enabled (Intel SDM vol. 3A, 11.4.4).
    sregs.apic_base = AddressMap.localAPIC | 0x900
    return sregs
}

extension Segment {
    /// 64 KiB from `paragraph << 4` on, as real mode has them.
    fileprivate static func real(_ paragraph: UInt16, type: UInt8) -> Segment {
        var segment = Segment()
        (segment.base, segment.limit, segment.selector) = (UInt64(paragraph) << 4, 0xffff, paragraph)
        (segment.type, segment.present, segment.s) = (type, 1, 1)
        return segment
    }
}
