// An exception for the guest, through its own IDT and TSS, as a CPU at ring 0 delivers it.
//
// Gate, stack by IST, alignment, frame, error code: Intel SDM vol. 3A, chapters 7.12 and 7.14. What goes wrong on the way
// is the next exception, or a double fault (table 7-5), and what goes wrong with that is the end. Read next: Trap.swift.

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

extension Exception {
    /// #DE, #TS, #NP, #SS, #GP.
    private var isContributory: Bool {
        switch vector {
        case Vector.divideError, Vector.invalidTSS...Vector.generalProtection: true
        default: false
        }
    }

    /// What is delivered when `second` comes of delivering this one; nil for the end.
    fileprivate func followed(by second: Exception) -> Exception? {
        let isPageFault = second.vector == Vector.pageFault
        switch vector {
        case Vector.doubleFault: return nil
        case Vector.pageFault: return .doubleFault
        case _ where isContributory && !isPageFault: return .doubleFault
        default: break
        }
        // EXT, bit 0 of an error code: no instruction of the program's has asked for the first.
        var second = second
        if !isPageFault { second.code = second.code.map { $0 | 1 } }
        return second
    }

    private static let doubleFault = Exception(vector: Vector.doubleFault, code: 0)
}

extension DeprivilegedCPU {
    /// Delivers; the registers are then the handler's.
    mutating func deliver(
        _ exception: Exception, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) -> TrapOutcome {
        var next: Exception? = exception
        while let current = next {
            do throws(Exception) {
                return try enter(current, &registers, memory)
            } catch { next = current.followed(by: error) }
        }
        return .tripleFault
    }

    /// INT n, of any vector. What goes wrong on the way is a fault of this instruction's, and so points at it.
    mutating func interrupt(
        _ vector: UInt8, next: UInt64, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) -> TrapOutcome {
        let instruction = registers.rip
        registers.rip = next
        do throws(Exception) {
            return try enter(Exception(vector: Int(vector), code: nil), &registers, memory)
        } catch {
            registers.rip = instruction
            return deliver(error, &registers, memory)
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
        if let code = exception.code { try monitor.write(code, stack &- 48, memory) }
        registers.rsp = stack &- (exception.code == nil ? 40 : 48)
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
