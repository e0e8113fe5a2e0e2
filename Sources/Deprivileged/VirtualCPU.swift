// The ring-0 CPU that the guest believes in: everything that a privileged instruction reads or writes.
//
// The real CPU runs at ring 3 with the monitor's tables; these registers exist here only. Pure values.
// Read next: GuestAccess.swift.

import KVM
import X86

/// GDTR or IDTR.
package struct TableAddress: Equatable, Sendable {
    package var base: UInt64
    /// Bytes minus one.
    package var limit: UInt16
    package init(base: UInt64, limit: UInt16) { (self.base, self.limit) = (base, limit) }
}

/// The virtual registers, as a boot protocol starts them.
package struct VirtualCPU: Equatable, Sendable {
    package var gdt: TableAddress
    package var idt = TableAddress(base: 0, limit: 0)
    package var task = TaskRegister()
    /// CS and SS are never the real ones; the real DS, ES, FS and GS may be others than these only until loaded.
    package var cs: UInt16
    package var ss: UInt16
    package var cr0: UInt64
    package var cr2: UInt64 = 0
    package var cr3: UInt64
    package var cr4: UInt64
    package var cr8: UInt64 = 0
    package var efer: UInt64
    package var interrupts = false
    package var msrs = StoredMSRs()
    /// DR0 to DR3; no breakpoint in them is ever enabled.
    package var debugAddresses: [4 of UInt64] = InlineArray(repeating: 0)

    package init(gdt: TableAddress, cs: UInt16, ss: UInt16, cr0: UInt64, cr3: UInt64, cr4: UInt64, efer: UInt64) {
        (self.gdt, self.cs, self.ss) = (gdt, cs, ss)
        (self.cr0, self.cr3, self.cr4, self.efer) = (cr0, cr3, cr4, efer)
    }

    package static func == (a: VirtualCPU, b: VirtualCPU) -> Bool {
        (a.gdt, a.idt, a.task, a.cs, a.ss) == (b.gdt, b.idt, b.task, b.cs, b.ss)
            && (a.cr0, a.cr2, a.cr3, a.cr4, a.cr8) == (b.cr0, b.cr2, b.cr3, b.cr4, b.cr8)
            && (a.efer, a.interrupts, a.msrs) == (b.efer, b.interrupts, b.msrs)
            && (0..<4).allSatisfy { a.debugAddresses[$0] == b.debugAddresses[$0] }
    }
}

/// TR with its hidden part.
package struct TaskRegister: Equatable, Sendable {
    package var selector: UInt16 = 0
    package var base: UInt64 = 0
    package var limit: UInt32 = 0
}

/// MSRs that mean nothing until the guest leaves ring 0, which it must not: kept for reading back.
package struct StoredMSRs: Equatable, Sendable {
    package var star: UInt64 = 0
    package var lstar: UInt64 = 0
    package var cstar: UInt64 = 0
    package var flagMask: UInt64 = 0
    package var kernelGSBase: UInt64 = 0
}

/// MSR numbers (Intel SDM vol. 4, table 2-2; AMD APM vol. 2, appendix A).
package enum MSR {
    package static let efer: UInt32 = 0xc000_0080
    package static let star: UInt32 = 0xc000_0081
    package static let lstar: UInt32 = 0xc000_0082
    package static let cstar: UInt32 = 0xc000_0083
    package static let flagMask: UInt32 = 0xc000_0084
    package static let fsBase: UInt32 = 0xc000_0100
    package static let gsBase: UInt32 = 0xc000_0101
    package static let kernelGSBase: UInt32 = 0xc000_0102
}

/// EFLAGS at ring 3 and at the ring 0 that the guest believes in (Intel SDM vol. 1, 3.4.3).
package enum Flags {
    static let trap: UInt64 = 1 << 8
    static let interrupts: UInt64 = RFLAGS.interrupts
    static let ioPrivilege: UInt64 = RFLAGS.ioPrivilege3
    static let resume: UInt64 = 1 << 16
    static let alignmentCheck: UInt64 = 1 << 18
    /// CF, PF, AF, ZF, SF, TF, DF, OF, RF, AC, ID: what passes between the two unchanged.
    static let passing: UInt64 = 0x25_0dd5

    /// What the real CPU runs with. IOPL 3 beside a bitmap of zeros: hardware looks at the first, the software KVM at the
    /// second, and hardware then executes CLI, STI and POPF as at ring 0.
    package static func real(_ flags: UInt64, interrupts: Bool) -> UInt64 {
        flags & passing | RFLAGS.reserved1 | ioPrivilege | (interrupts ? Self.interrupts : 0)
    }

    /// What the guest finds in a frame.
    package static func virtual(_ flags: UInt64, interrupts: Bool) -> UInt64 {
        flags & passing | RFLAGS.reserved1 | (interrupts ? Self.interrupts : 0)
    }
}

extension VirtualCPU {
    /// The CPU that a boot protocol starts an image with.
    package init(_ sregs: SpecialRegisters) {
        self.init(
            gdt: TableAddress(base: sregs.gdt.base, limit: sregs.gdt.limit), cs: sregs.cs.selector,
            ss: sregs.ss.selector, cr0: sregs.cr0 | CR0.extensionType, cr3: sregs.cr3, cr4: sregs.cr4, efer: sregs.efer)
    }

    /// Makes special registers of ring 0 those of this CPU.
    package func write(to sregs: inout SpecialRegisters) {
        (sregs.cr0, sregs.cr2, sregs.cr3, sregs.cr4, sregs.efer) = (cr0, cr2, cr3, cr4, efer)
        sregs.cr8 = cr8
        (sregs.gdt.base, sregs.gdt.limit) = (gdt.base, gdt.limit)
        (sregs.idt.base, sregs.idt.limit) = (idt.base, idt.limit)
        (sregs.tr.selector, sregs.tr.base, sregs.tr.limit) = (task.selector, task.base, task.limit)
        (sregs.cs.selector, sregs.ss.selector) = (cs, ss)
    }
}
