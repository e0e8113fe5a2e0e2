// What follows a trapped instruction and would trap too is done in the same exit: kernels load tables and selectors in a row.
//
// LGDT, the far return to the new CS and the load of SS are one exit then instead of three, of 40 us each. Between them
// stand a push or a move of a constant, which are done here too. What fails, or is no such instruction, is left for the CPU
// to come to: nothing has changed then. Read next: Instruction.swift.

import GuestMemory
import KVM
import X86

extension DeprivilegedCPU {
    /// At most so many instructions.
    private static let limit = 8

    mutating func runAhead<System: SystemRegisters & ~Copyable>(
        _ registers: inout Registers, _ memory: borrowing GuestMemory, _ system: borrowing System
    ) {
        for _ in 0..<Self.limit {
            // TF wants its exception behind each of them.
            guard registers.rflags & Flags.trap == 0, isCode(registers.rip) else { return }
            let code = monitor.code(at: registers.rip, memory)
            if step(code, &registers, memory) { continue }
            guard let instruction = Decoder.decode(code), instruction.operation.comesInRows else { return }
            var next = registers
            guard let outcome = try? execute(instruction, &next, memory, system), outcome == .resume else { return }
            registers = next
        }
    }

    private func isCode(_ address: UInt64) -> Bool {
        guard address < MonitorMap.base, let page = PageWalk.translate(address, root: monitor.root, in: monitor) else {
            return false
        }
        return !page.flags.contains(.noExecute)
    }

    /// PUSH of a constant, or MOV of one to a register; false when it is neither.
    private func step(_ code: CodeBytes, _ registers: inout Registers, _ memory: borrowing GuestMemory) -> Bool {
        var cursor = Cursor(code: code)
        switch cursor.next() {
        case 0x6a?: return push(cursor.signed8(), &registers, memory, length: 2)
        case 0x68?: return push(cursor.signed32(), &registers, memory, length: 5)
        // REX.W c7 /0: the constant's sign fills the upper half.
        case 0x48? where cursor.next() == 0xc7:
            guard let modRM = cursor.next(), modRM & 0xf8 == 0xc0, let value = cursor.signed32() else { return false }
            registers[modRM & 7] = UInt64(bitPattern: value)
            registers.rip &+= 7
            return true
        case let opcode? where opcode & 0xf8 == 0xb8:
            guard let value = cursor.signed32() else { return false }
            registers[opcode & 7] = UInt64(bitPattern: value) & 0xffff_ffff
            registers.rip &+= 5
            return true
        default: return false
        }
    }

    private func push(
        _ value: Int64?, _ registers: inout Registers, _ memory: borrowing GuestMemory, length: UInt64
    ) -> Bool {
        guard let value else { return false }
        do throws(Exception) {
            try monitor.write(UInt64(bitPattern: value), registers.rsp &- 8, memory)
        } catch { return false }
        registers.rsp &-= 8
        registers.rip &+= length
        return true
    }
}

extension Operation {
    fileprivate var comesInRows: Bool {
        switch self {
        case .loadTable, .loadTaskRegister, .farReturn, .loadSegment(.ss, _): true
        default: false
        }
    }
}
