// An exception for the guest, through its own IDT and TSS, as a CPU at ring 0 delivers it.
//
// Gate, stack by IST, alignment, frame, error code: Intel SDM vol. 3A, chapters 7.12 and 7.14. What goes wrong on the way
// is a double fault, and what goes wrong with that is the end. Read next: Trap.swift.

import GuestMemory
import KVM
import X86

/// A gate of the guest's IDT.
private struct Gate {
    let low: UInt64
    let high: UInt64

    var selector: UInt16 { UInt16(truncatingIfNeeded: low >> 16) }
    var stackIndex: UInt64 { low >> 32 & 7 }
    var type: UInt64 { low >> 40 & 0xf }
    var isPresent: Bool { low >> 47 & 1 != 0 }
    var handler: UInt64 { low & 0xffff | low >> 32 & 0xffff_0000 | high << 32 }
    /// Bit 4 of the type byte belongs to segments.
    var isGate: Bool { low >> 44 & 1 == 0 && (type == 0xe || type == 0xf) }
    /// An interrupt gate clears IF.
    var clearsInterrupts: Bool { type == 0xe }
}

extension DeprivilegedCPU {
    /// Delivers; the registers are then the handler's.
    mutating func deliver(
        _ exception: Exception, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) -> TrapOutcome {
        do throws(Exception) {
            return try enter(exception, &registers, memory)
        } catch {
            // Also after a benign first exception, where a CPU would deliver the second: both are the guest's end.
            guard exception.vector != Vector.doubleFault,
                let outcome = try? enter(
                    Exception(vector: Vector.doubleFault, code: 0), &registers, memory)
            else { return .tripleFault }
            return outcome
        }
    }

    private mutating func enter(
        _ exception: Exception, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) throws(Exception) -> TrapOutcome {
        let gate = try gate(exception.vector, memory)
        if let refusal = try target(gate.selector, gate.handler, memory) { return .unsupported(refusal) }
        if exception.vector == Vector.pageFault { virtual.cr2 = exception.address }
        let stack = try stack(gate.stackIndex, registers.rsp, memory) & ~0xf
        let flags = Flags.virtual(registers.rflags, interrupts: virtual.interrupts)
        let frame: [5 of UInt64] = [
            registers.rip, UInt64(virtual.cs), flags, registers.rsp, UInt64(virtual.ss),
        ]
        try monitor.write(frame, stack &- 40, memory)
        registers.rsp = stack &- 40
        if let code = exception.code {
            try monitor.write(code, stack &- 48, memory)
            registers.rsp = stack &- 48
        }
        virtual.cs = gate.selector
        if gate.clearsInterrupts { virtual.interrupts = false }
        registers.rip = gate.handler
        registers.rflags = Flags.real(flags & ~(Flags.trap | Flags.resume), interrupts: virtual.interrupts)
        return .resume
    }

    /// Beyond the limit, absent or of another kind: #GP or #NP with the vector's number in the code.
    private func gate(_ vector: Int, _ memory: borrowing GuestMemory) throws(Exception) -> Gate {
        let code = UInt64(vector) << 3 | 2
        let offset = UInt64(vector) * 16
        guard offset + 15 <= UInt64(virtual.idt.limit) else { throw .protection(code) }
        let words: [2 of UInt64] = try monitor.read(virtual.idt.base &+ offset, memory)
        let gate = Gate(low: words[0], high: words[1])
        guard gate.isGate else { throw .protection(code) }
        guard gate.isPresent else { throw Exception(vector: Vector.segmentNotPresent, code: code) }
        return gate
    }

    /// IST 1 to 7 lie at offset 36 of the TSS; 0 is the current stack.
    private func stack(
        _ index: UInt64, _ current: UInt64, _ memory: borrowing GuestMemory
    ) throws(Exception) -> UInt64 {
        if index == 0 { return current }
        let offset = 36 + 8 * (index - 1)
        guard offset + 7 <= UInt64(virtual.task.limit) else {
            throw Exception(vector: Vector.invalidTSS, code: UInt64(virtual.task.selector & ~3))
        }
        return try monitor.read(virtual.task.base &+ offset, memory)
    }
}
