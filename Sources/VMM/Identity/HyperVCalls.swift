// Hyper-V's hypercalls: what the guest's page of code hands us, and what is said to it.
//
// TLFS 6.0b, chapter 3: RCX is the call, RDX and R8 its input and output; of 32 bits EDX:EAX, EBX:ECX, EDI:ESI. The result is in
// RAX, or EDX:EAX. One call is answered, a hint that needs no memory; no other is among the privileges that are shown.
// Read next: ../Devices/KernelRunLoop.swift.

import KVM

extension HyperV {
    /// HV_STATUS_... (TLFS, appendix B).
    enum Status: UInt64 {
        case success = 0
        case invalidCode = 2
        case invalidInput = 3
        case invalidAlignment = 4
    }

    /// The bits of a call's input value (TLFS 3.7).
    private struct Input {
        let code: UInt16
        let isFast: Bool
        /// Of the variable header, in units of 8 bytes.
        let headerSize: UInt64
        let repetitions: UInt64
        let reserved: UInt64

        init(_ value: UInt64) {
            code = UInt16(truncatingIfNeeded: value)
            isFast = value & 1 << 16 != 0
            headerSize = value >> 17 & 0x3ff
            repetitions = value >> 32 & 0xfff | value >> 48 & 0xfff
            reserved = value & 0xf000_f000_7800_0000
        }
    }

    private static let notifyLongSpinWait: UInt16 = 8

    /// Answers a call in the registers.
    func call(_ registers: inout Registers, isLong: Bool) {
        let value = isLong ? registers.rcx : Self.pair(registers.rdx, registers.rax)
        let parameter = isLong ? registers.rdx : Self.pair(registers.rbx, registers.rcx)
        let status = Self.status(Input(value), parameter).rawValue
        registers.rax = status
        if !isLong { registers.rdx = 0 }
    }

    private static func status(_ input: Input, _ parameter: UInt64) -> Status {
        if input.reserved != 0 { return .invalidInput }
        guard input.code == notifyLongSpinWait else { return .invalidCode }
        if input.repetitions != 0 || input.headerSize != 0 { return .invalidInput }
        // Otherwise the parameter is an address, of 8 bytes which nobody has to read.
        return input.isFast || parameter % 8 == 0 ? .success : .invalidAlignment
    }

    private static func pair(_ high: UInt64, _ low: UInt64) -> UInt64 { high << 32 | low & 0xffff_ffff }
}
