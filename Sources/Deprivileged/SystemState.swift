// Control, debug and model-specific registers: which writes ring 3 can stand in for, and which it cannot.
//
// A write is refused only when the guest would then run otherwise than it believes: other page tables, trapped x87, user
// mode's protections, breakpoints. What it may believe without harm is stored and read back. Intel SDM vol. 3A,
// chapters 2.5 and 2.7; vol. 4. Read next: Segments.swift.

import KVM
import X86

extension CR0 {
    static let emulation: UInt64 = 1 << 2
    static let taskSwitched: UInt64 = 1 << 3
    static let notWriteThrough: UInt64 = 1 << 29
    static let cacheDisable: UInt64 = 1 << 30

    /// What may change without the guest noticing that the real CPU's did not. WP is as if set: the VMM's tables say what
    /// is writable.
    fileprivate static let harmless: UInt64 =
        monitorCoprocessor | extensionType | numericError | writeProtect | alignmentMask | notWriteThrough
        | cacheDisable
}

extension CR4 {
    /// VME, PVI, TSD, DE, PSE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, OSXSAVE.
    fileprivate static let harmless: UInt64 = 0x5_0fdf
    /// Of these, what a CPU has only if CPUID says so, and KVM holds a guest to.
    fileprivate static let optional = userModePrevention | fsgsbase | xsave
}

extension EFER {
    static let syscallEnable: UInt64 = 1 << 0
}

extension DeprivilegedCPU {
    func control(_ number: UInt8) -> UInt64 {
        switch number {
        case 0: virtual.cr0
        case 2: virtual.cr2
        case 3: virtual.cr3
        case 4: virtual.cr4
        default: virtual.cr8
        }
    }

    /// Nil, or why it cannot be.
    mutating func writeControl(_ number: UInt8, _ value: UInt64) throws(Exception) -> String? {
        switch number {
        case 0:
            if value >> 32 != 0 { throw .protection() }
            return try writeCR0(value)
        case 2: virtual.cr2 = value
        case 3:
            // Bits 3 and 4 are about caches; a reload of the same tables flushes what never changed.
            if (value ^ virtual.cr3) & ~0x18 != 0 { return "loads page tables of its own (CR3)" }
            virtual.cr3 = value
        case 4:
            if value & CR4.optional & ~features != 0 { throw .protection() }
            if (value ^ virtual.cr4) & ~CR4.harmless != 0 { return "changes paging or protection (CR4)" }
            virtual.cr4 = value
        default:
            if value > 15 { throw .protection() }
            virtual.cr8 = value
        }
        return nil
    }

    /// #GP for paging without protection, and for NW without CD.
    mutating func writeCR0(_ value: UInt64) throws(Exception) -> String? {
        if value & (CR0.paging | CR0.protectedMode) == CR0.paging { throw .protection() }
        if value & (CR0.notWriteThrough | CR0.cacheDisable) == CR0.notWriteThrough { throw .protection() }
        let changed = (value ^ virtual.cr0) & ~CR0.harmless
        // Ring 3 runs with TS and EM clear: to clear them is to have what is.
        if changed & ~(CR0.taskSwitched | CR0.emulation) != 0 || changed & value != 0 {
            return "changes paging, or traps the FPU (CR0)"
        }
        virtual.cr0 = value
        return nil
    }

    /// DR6 and DR7 as after a reset; DR4 and DR5 are their other names.
    func debug(_ number: UInt8) -> UInt64 {
        switch number {
        case 0...3: virtual.debugAddresses[Int(number)]
        case 4, 6: 0xffff_0ff0
        default: 0x400
        }
    }

    mutating func writeDebug(_ number: UInt8, _ value: UInt64) -> String? {
        switch number {
        case 0...3: virtual.debugAddresses[Int(number)] = value
        case 5, 7: if value & 0x20ff != 0 { return "sets hardware breakpoints (DR7)" }
        default: break
        }
        return nil
    }

    // MARK: - Model-specific registers

    func readMSR<System: SystemRegisters & ~Copyable>(
        _ registers: inout Registers, _ system: borrowing System
    ) throws(Exception) {
        let index = UInt32(truncatingIfNeeded: registers.rcx)
        let value: UInt64? =
            switch index {
            case MSR.efer: virtual.efer
            case MSR.star: virtual.msrs.star
            case MSR.lstar: virtual.msrs.lstar
            case MSR.cstar: virtual.msrs.cstar
            case MSR.flagMask: virtual.msrs.flagMask
            case MSR.kernelGSBase: virtual.msrs.kernelGSBase
            default: system.readMSR(index)  // what KVM would have answered a guest at ring 0
            }
        guard let value else { throw .protection() }
        registers.rax = value & 0xffff_ffff
        registers.rdx = value >> 32
    }

    mutating func writeMSR<System: SystemRegisters & ~Copyable>(
        _ registers: Registers, _ system: borrowing System
    ) throws(Exception) -> String? {
        let index = UInt32(truncatingIfNeeded: registers.rcx)
        let value = registers.rax & 0xffff_ffff | registers.rdx << 32
        switch index {
        case MSR.fsBase, MSR.gsBase:
            guard isCanonical(value), system.writeMSR(index, value) else { throw .protection() }
        case MSR.efer:
            // LMA cannot be written; LME cannot change under paging.
            if (value ^ virtual.efer) & EFER.longModeEnable != 0 { throw .protection() }
            if value & ~(EFER.syscallEnable | EFER.longModeEnable | EFER.longModeActive | EFER.noExecute) != 0 {
                return "sets what it may not know of in EFER"
            }
            virtual.efer = value & ~EFER.longModeActive | virtual.efer & EFER.longModeActive
        case MSR.star: virtual.msrs.star = value
        case MSR.lstar: virtual.msrs.lstar = try canonical(value)
        case MSR.cstar: virtual.msrs.cstar = try canonical(value)
        case MSR.flagMask: virtual.msrs.flagMask = value
        case MSR.kernelGSBase: virtual.msrs.kernelGSBase = try canonical(value)
        default: return "writes MSR 0x\(String(index, radix: 16))"
        }
        return nil
    }

    private func canonical(_ value: UInt64) throws(Exception) -> UInt64 {
        guard isCanonical(value) else { throw .protection() }
        return value
    }

    /// XSETBV knows one register, XCR0.
    func writeXCR<System: SystemRegisters & ~Copyable>(
        _ registers: Registers, _ system: borrowing System
    ) throws(Exception) {
        let value = registers.rax & 0xffff_ffff | registers.rdx << 32
        guard registers.rcx & 0xffff_ffff == 0, system.writeXCR0(value) else { throw .protection() }
    }

    mutating func swapGS<System: SystemRegisters & ~Copyable>(_ system: borrowing System) throws(Exception) {
        guard let base = system.readMSR(MSR.gsBase), system.writeMSR(MSR.gsBase, virtual.msrs.kernelGSBase) else {
            throw .protection()
        }
        virtual.msrs.kernelGSBase = base
    }
}
