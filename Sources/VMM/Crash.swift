// What is known of a guest that did what no guest may do: collected on the vCPU's thread, as values.
//
// An unhandled exception arrives as a stub's OUT: the vector is the port, and the frame that the CPU pushed lies on the
// report stack. Read next: CrashReport.swift.

import GuestMemory
import KVM
import Observe
import X86

/// A guest's end by its own fault.
public struct Crash: Sendable {
    /// What ended it.
    public enum Cause: Sendable, Equatable {
        /// An exception or interrupt without a handler.
        case exception(vector: Int)
        /// The guest jumped into a stub: no exception's frame is there.
        case forgedException(vector: Int)
        case tripleFault
        /// A port that nobody owns; `written` is nil for IN.
        case port(UInt16, size: UInt8, written: UInt32?)
        /// A guest-physical address where no memory is, or a write to read-only memory.
        case memory(UInt64, size: UInt32, written: UInt64?)
        /// A page of the guest's own that the host protects: its code, most likely.
        case translationFault
        /// What an image for ring 0 did that ring 3 cannot stand in for.
        case needsRingZero(String)
        /// A call with arguments that break its contract.
        case misuse(String)
        /// KVM could not emulate an instruction.
        case emulation(suberror: UInt32)
        case invalidState(reason: UInt64)
        /// An interrupt or exception in real mode whose vector nobody has set.
        case noFirmware(vector: UInt8)
        /// What a kernel said of itself.
        case declared(String)
        case unexpectedExit(String)
    }

    public let cause: Cause
    /// The vCPU's number.
    public var vcpu = 0
    public package(set) var registers: GuestRegisters
    /// Of an exception that has one.
    public let errorCode: UInt64?
    /// The KVM has reset the vCPU at a triple fault, as SVM's and VMX's do: the registers are those of a fresh CPU.
    public let registersAreLost: Bool
    /// Up to 16 bytes at RIP; empty when it is not mapped.
    public let code: [UInt8]
}

extension Crash {
    init(_ cause: Cause, _ vcpu: borrowing VCPU, _ context: borrowing VCPUContext) {
        var cause = cause
        // A port exit is finished first, so that RIP is the next instruction on every KVM.
        let pending: Bool
        switch cause {
        case .port, .misuse, .declared: pending = true
        default: pending = false
        }
        if pending { vcpu.completePendingIO() }
        var registers = GuestRegisters(vcpu)
        var errorCode: UInt64?
        if case .exception(let vector) = cause {
            if let frame = ExceptionFrame(vector, registers, context) {
                frame.restore(&registers)
                errorCode = frame.errorCode
            } else {
                cause = .forgedException(vector: vector)
            }
        }
        let memory = GuestView(context.platform, root: registers.root)
        if cause == .exception(vector: Vector.pageFault), registers.rip == 0,
            memory.bytes(at: registers.general.rcx &- 2, 2) == [0x0f, 0x05]
        {
            // A software KVM takes SYSCALL to LSTAR, which is 0, though EFER.SCE is clear. Hardware says #UD; so do we.
            cause = .exception(vector: Vector.invalidOpcode)
            registers.rip = registers.general.rcx &- 2
            registers.general.rflags = registers.general.r11
            errorCode = nil
        }
        if pending { registers.rip = memory.portInstruction(before: registers.rip) }
        (self.cause, self.vcpu) = (cause, context.index)
        self.registers = registers
        self.errorCode = errorCode
        registersAreLost = cause == .tripleFault && registers.cs == 0xf000  // CS at reset (Intel SDM vol. 3A, 10.1.1)
        code = memory.bytes(at: registers.codeBase &+ registers.rip, 16)
    }
}

/// The registers that a report shows.
public struct GuestRegisters: Sendable {
    public var general = Registers()
    public var cr0: UInt64 = 0
    public var cr2: UInt64 = 0
    public var cr3: UInt64 = 0
    public var cr4: UInt64 = 0
    public var efer: UInt64 = 0
    public var fsBase: UInt64 = 0
    public var gsBase: UInt64 = 0
    public var cs: UInt64 = 0
    public var ss: UInt64 = 0
    /// The root under which addresses are looked up, where that is not CR3: without paging, or with a 32-bit mode's.
    var otherRoot: UInt64?
    /// What is added to RIP: 0 but in real mode, and where a kernel likes segments.
    var codeBase: UInt64 = 0
    /// 16, 32 or 64.
    var codeBits = 64
    var root: UInt64 { otherRoot ?? cr3 }

    public var rip: UInt64 {
        get { general.rip }
        set { general.rip = newValue }
    }
}

extension GuestRegisters {
    /// Registers that KVM does not give stay zero: a report is better than none.
    init(_ vcpu: borrowing VCPU) {
        if let regs = try? vcpu.registers() { general = regs }
        guard let sregs = try? vcpu.specialRegisters() else { return }
        (cr0, cr2, cr3, cr4, efer) = (sregs.cr0, sregs.cr2, sregs.cr3, sregs.cr4, sregs.efer)
        (fsBase, gsBase) = (sregs.fs.base, sregs.gs.base)
        (cs, ss) = (UInt64(sregs.cs.selector), UInt64(sregs.ss.selector))
        (otherRoot, codeBase, codeBits) = (sregs.root == cr3 ? nil : sregs.root, sregs.cs.base, sregs.codeBits)
    }
}

/// What the CPU pushed on the report stack (Intel SDM vol. 3A, figure 6-9).
struct ExceptionFrame {
    let errorCode: UInt64?
    private let rip: UInt64
    private let cs: UInt64
    private let rflags: UInt64
    private let rsp: UInt64
    private let ss: UInt64

    /// Nil when the stack pointer is not where an exception leaves it: then nothing was pushed.
    init?(_ vector: Int, _ registers: GuestRegisters, _ context: borrowing VCPUContext) {
        let top = AddressMap.reportStackTop(vcpu: context.index)
        let hasCode = Vector.hasErrorCode(vector)
        guard registers.general.rsp == top - (hasCode ? 48 : 40) else { return nil }
        let memory = context.platform
        func word(_ below: UInt64) -> UInt64 { memory.memory.read(GuestAddress(top - below)) ?? 0 }
        errorCode = hasCode ? word(48) : nil
        (rip, cs, rflags, rsp, ss) = (word(40), word(32), word(24), word(16), word(8))
    }

    /// Puts the registers back to what they were at the exception.
    func restore(_ registers: inout GuestRegisters) {
        registers.general.rip = rip
        registers.general.rflags = rflags
        registers.general.rsp = rsp
        registers.cs = cs
        registers.ss = ss
    }
}
