// The real CPU's state under a deprivileged guest, and the registers of it that trapped instructions reach.
//
// Ring 3, the monitor's tables, and of CR4 what the guest may rely on at ring 0: SSE, XSAVE, FSGSBASE. UMIP has SGDT and
// its like trap, which otherwise would show the monitor's values. Read next: Decoder.swift.

import CDeprivileged
import Host
import KVM
import X86

extension CR4 {
    /// User-mode instruction prevention (Intel SDM vol. 3A, 2.5).
    package static let userModePrevention: UInt64 = 1 << 11
}

extension Monitor {
    /// Segments, control registers and tables. `cr4` is what the host's CPU has beyond the ring-3 machine's.
    package func specialRegisters(cr4: UInt64) -> SpecialRegisters {
        var sregs = SpecialRegisters()
        // Without AM nothing is aligned for the guest's AC flag; the software KVM runs with the host's CR0 all the same.
        sregs.cr0 = CR0.ring3 & ~CR0.alignmentMask
        sregs.cr3 = root
        sregs.cr4 = CR4.ring3 | cr4
        sregs.efer = EFER.ring3
        sregs.cs = .flat(Selector.userCode, type: 0xb, privilege: 3, isLong: true)
        let data = Segment.flat(Selector.userData, type: 0x3, privilege: 3, isLong: false)
        (sregs.ss, sregs.ds, sregs.es, sregs.fs, sregs.gs) = (data, data, data, data, data)
        sregs.tr = .taskState(Selector.tss, base: MonitorMap.tss, limit: TSS.limit)
        sregs.ldt.unusable = 1
        sregs.gdt.base = MonitorMap.gdt
        sregs.gdt.limit = GDT.limit
        sregs.idt.base = MonitorMap.idt
        sregs.idt.limit = UInt16(MonitorMap.vectors * 16 - 1)
        sregs.apic_base = AddressMap.localAPIC | 0x100  // the bootstrap processor's, switched off
        return sregs
    }
}

extension VCPU {
    /// Whether it sleeps in HLT inside the kernel. The corresponding ioctl is `KVM_GET_MP_STATE`.
    package var isHalted: Bool { chalted_is_halted(fd) == 1 }
}

/// Each is an ioctl: 6 us on the software KVM, at traps only.
extension VCPU: SystemRegisters {
    package func readMSR(_ index: UInt32) -> UInt64? { try? msr(index) }

    package func writeMSR(_ index: UInt32, _ value: UInt64) -> Bool {
        do throws(KVMError) {
            try setMSR(index, value)
            return true
        } catch { return false }
    }

    /// XGETBV does not trap, and on a software KVM it shows the host's XCR0: who writes what he has read may not fail for the parts
    /// that no guest gets (AMX, protection keys).
    package func writeXCR0(_ value: UInt64) -> Bool {
        let host = Processor.xcr0(leaf1ECX: Processor.cpuid(1).ecx)
        do throws(KVMError) {
            try setXCR0(value & ~(host & ~XCR0.guest(host: host)))
            return true
        } catch { return false }
    }

    package func faultAddress() -> UInt64 { (try? specialRegisters().cr2) ?? 0 }
}
