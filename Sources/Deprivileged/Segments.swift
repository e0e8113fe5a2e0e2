// Selectors: loads of data segments and TR, and the transfers that load CS.
//
// A descriptor comes from the guest's own GDT and is checked as a CPU at ring 0 checks it. CS and SS become virtual: the
// real ones stay ring 3's. What would leave 64-bit ring 0 is refused, because from there no trap leads back.
// Intel SDM vol. 3A, chapters 3.4, 5.8 and 7.2.3. Read next: Delivery.swift.

import GuestMemory
import KVM
import X86

/// A descriptor of the guest's GDT.
struct SegmentDescriptor {
    let bits: UInt64

    var isPresent: Bool { bits >> 47 & 1 != 0 }
    var privilege: UInt64 { bits >> 45 & 3 }
    /// Code or data, not a system segment.
    var isSegment: Bool { bits >> 44 & 1 != 0 }
    var type: UInt64 { bits >> 40 & 0xf }
    var isCode: Bool { isSegment && type & 8 != 0 }
    /// In data, and in code that may be read.
    var isReadable: Bool { isSegment && (type & 8 == 0 || type & 2 != 0) }
    var isWritable: Bool { isSegment && type & 0xa == 2 }
    var isLong: Bool { bits >> 53 & 1 != 0 }
    var base: UInt64 { bits >> 16 & 0xff_ffff | bits >> 32 & 0xff00_0000 }
    var limit: UInt32 {
        let limit = UInt32(bits & 0xffff | bits >> 32 & 0xf_0000)
        return bits >> 55 & 1 != 0 ? limit << 12 | 0xfff : limit
    }
}

extension DeprivilegedCPU {
    /// An entry of the GDT; `size` is 16 for a system segment.
    private func descriptor(
        _ selector: UInt16, size: UInt64 = 8, _ memory: borrowing GuestMemory
    ) throws(Exception) -> SegmentDescriptor {
        let offset = UInt64(selector & ~7)
        guard selector & 4 == 0, offset + size - 1 <= UInt64(virtual.gdt.limit) else {
            throw .protection(UInt64(selector & ~3))
        }
        return SegmentDescriptor(bits: try monitor.read(virtual.gdt.base &+ offset, memory))
    }

    /// LTR: the descriptor becomes busy.
    mutating func loadTask(_ selector: UInt16, _ memory: borrowing GuestMemory) throws(Exception) {
        let code = UInt64(selector & ~3)
        guard code != 0 else { throw .protection() }
        let found = try descriptor(selector, size: 16, memory)
        guard !found.isSegment, found.type == 9 else { throw .protection(code) }
        guard found.isPresent else { throw Exception(vector: Vector.segmentNotPresent, code: code) }
        let place = virtual.gdt.base &+ UInt64(selector & ~7)
        let upper: UInt64 = try monitor.read(place &+ 8, memory)
        try monitor.write(found.bits | 1 << 41, place, memory)
        virtual.task = TaskRegister(
            selector: selector, base: found.base | upper << 32, limit: found.limit)
    }

    /// MOV to and POP of a data segment register.
    mutating func load<System: SystemRegisters & ~Copyable>(
        _ segment: SegmentRegister, _ selector: UInt16, _ memory: borrowing GuestMemory, _ system: borrowing System
    ) throws(Exception) {
        let code = UInt64(selector & ~3)
        var base: UInt64 = 0
        if code != 0 {
            let found = try descriptor(selector, memory)
            let isRight =
                segment == .ss ? found.isWritable && found.privilege == 0 && selector & 3 == 0 : found.isReadable
            guard isRight else { throw .protection(code) }
            guard found.isPresent else {
                throw Exception(vector: segment == .ss ? Vector.stackFault : Vector.segmentNotPresent, code: code)
            }
            base = found.base
        } else if segment == .ss, selector != 0 {
            throw .protection()  // a null SS has the privilege level in it
        }
        switch segment {
        case .ss: virtual.ss = selector
        case .fs, .gs:
            guard system.writeMSR(segment == .fs ? MSR.fsBase : MSR.gsBase, base) else { throw .protection() }
        default: break
        }
    }

    /// Checks what CS is to be. Nil, or why it cannot be.
    func target(_ selector: UInt16, _ rip: UInt64, _ memory: borrowing GuestMemory) throws(Exception) -> String? {
        let code = UInt64(selector & ~3)
        guard code != 0 else { throw .protection() }
        let found = try descriptor(selector, memory)
        guard found.isCode else { throw .protection(code) }
        if selector & 3 != 0 || found.privilege != 0 {
            return "leaves ring 0 (CS 0x\(String(selector, radix: 16)))"
        }
        guard found.isPresent else { throw Exception(vector: Vector.segmentNotPresent, code: code) }
        if !found.isLong { return "enters 32-bit code (CS 0x\(String(selector, radix: 16)))" }
        guard isCanonical(rip) else { throw .protection() }
        return nil
    }

    private mutating func go(
        _ selector: UInt16, _ rip: UInt64, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) throws(Exception) -> TrapOutcome {
        if let refusal = try target(selector, rip, memory) { return .unsupported(refusal) }
        virtual.cs = selector
        registers.rip = rip
        return .resume
    }

    /// An item of a far pointer or frame, 4 or 8 bytes.
    private func item(_ address: UInt64, _ size: UInt8, _ memory: borrowing GuestMemory) throws(Exception) -> UInt64 {
        size == 8 ? try monitor.read(address, memory) : UInt64(try monitor.read(address, as: UInt32.self, memory))
    }

    mutating func farReturn(
        _ size: UInt8, _ dropping: UInt16, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) throws(Exception) -> TrapOutcome {
        let stack = registers.rsp
        let rip = try item(stack, size, memory)
        let selector = UInt16(truncatingIfNeeded: try item(stack &+ UInt64(size), size, memory))
        let outcome = try go(selector, rip, &registers, memory)
        if outcome == .resume { registers.rsp = stack &+ 2 &* UInt64(size) &+ UInt64(dropping) }
        return outcome
    }

    mutating func farJump(
        _ pointer: UInt64, _ size: UInt8, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) throws(Exception) -> TrapOutcome {
        let rip = try item(pointer, size, memory)
        let selector: UInt16 = try monitor.read(pointer &+ UInt64(size), memory)
        return try go(selector, rip, &registers, memory)
    }

    mutating func farCall(
        _ pointer: UInt64, _ size: UInt8, _ registers: inout Registers, next: UInt64, _ memory: borrowing GuestMemory
    ) throws(Exception) -> TrapOutcome {
        let (stack, old) = (registers.rsp, virtual.cs)
        _ = try monitor.physical(stack &- 2 &* UInt64(size), 2 * UInt64(size), write: true)  // all of it or nothing
        let outcome = try farJump(pointer, size, &registers, memory)
        guard outcome == .resume else { return outcome }
        try monitor.write(UInt64(old), size: size, stack &- UInt64(size), memory)
        try monitor.write(next, size: size, stack &- 2 &* UInt64(size), memory)
        registers.rsp = stack &- 2 &* UInt64(size)
        return .resume
    }

    /// IRETQ: RIP, CS, RFLAGS, RSP, SS.
    mutating func interruptReturn(
        _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) throws(Exception) -> TrapOutcome {
        let stack = registers.rsp
        let frame: [5 of UInt64] = try monitor.read(stack, memory)
        let outcome = try go(UInt16(truncatingIfNeeded: frame[1]), frame[0], &registers, memory)
        guard outcome == .resume else { return outcome }
        virtual.ss = UInt16(truncatingIfNeeded: frame[4])
        virtual.interrupts = frame[2] & Flags.interrupts != 0
        registers.rflags = Flags.real(frame[2], interrupts: virtual.interrupts)
        registers.rsp = frame[3]
        return .resume
    }
}
