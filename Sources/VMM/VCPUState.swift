// From a boot protocol's CPU state to KVM's registers: 64-bit mode at CPL 3, paging on, descriptor tables in place.
//
// Built from nothing, not from KVM_GET_SREGS: every field is decided here. Read next: RunLoop.swift.

import KVM
import X86

extension VCPU {
    /// Gives a new vCPU its CPUID, vector state and registers.
    package func load(_ state: CPUState, _ cpu: GuestCPU) throws(KVMError) {
        var regs = Registers()
        (regs.rip, regs.rsp, regs.rdi, regs.rflags) = (state.rip, state.rsp, state.rdi, RFLAGS.ring3)
        try load(cpu.cpuid, ring3Registers(state, cr4: cpu.cr4), xcr0: cpu.xcr0, regs)
    }

    /// The same for any state. XCR0 is set only where the CPUID says that there is one.
    func load(_ cpuid: CPUID, _ special: SpecialRegisters, xcr0: UInt64 = 0, _ registers: Registers) throws(KVMError) {
        try setCPUID(cpuid)
        try setSpecialRegisters(special)
        if xcr0 != 0 { try setXCR0(xcr0) }
        try setRegisters(registers)
        synchroniseRegisters()
    }
}

private func ring3Registers(_ state: CPUState, cr4: UInt64) -> SpecialRegisters {
    var sregs = SpecialRegisters()
    sregs.cr0 = CR0.ring3
    sregs.cr3 = state.cr3
    sregs.cr4 = cr4
    sregs.efer = EFER.ring3
    sregs.cs = .flat(Selector.userCode, type: 0xb, privilege: 3, isLong: true)
    let data = Segment.flat(Selector.userData, type: 0x3, privilege: 3, isLong: false)
    sregs.ss = data
    sregs.ds = data
    sregs.es = data
    sregs.fs = data
    sregs.gs = data
    sregs.gs.base = AddressMap.callPage(vcpu: 0)
    sregs.tr = .taskState(Selector.tss, base: AddressMap.tss, limit: TSS.limit)
    sregs.ldt.unusable = 1
    sregs.gdt.base = AddressMap.gdt
    sregs.gdt.limit = GDT.limit
    sregs.idt.base = AddressMap.idt
    sregs.idt.limit = IDT.limit
    // The bootstrap processor's, but with bit 11, "enabled", clear (Intel SDM vol. 3A, 11.4.4).
    sregs.apic_base = AddressMap.localAPIC | 0x100
    return sregs
}
