// From bytes to a privileged instruction: prefixes, opcode, and the operand that ModRM names.
//
// It knows the instructions that fault at ring 3 and no others. Whatever else stands there has faulted by its own fault,
// and the guest gets the exception. The bytes are the guest's: every one may be anything, or missing.
// Encodings: Intel SDM vol. 2, chapter 2 and opcode maps. Read next: ModRM.swift.

package struct Decoder: Sendable {
    var cursor: Cursor
    var prefixes = Prefixes()

    /// Nil when this is no instruction that can be done for the guest.
    package static func decode(_ code: CodeBytes) -> Instruction? {
        var decoder = Decoder(cursor: Cursor(code: code))
        guard let opcode = decoder.skipPrefixes(), !decoder.prefixes.hasLock,
            let operation = opcode == 0x0f ? decoder.twoBytes() : decoder.oneByte(opcode)
        else { return nil }
        return Instruction(operation: operation, length: decoder.cursor.position)
    }

    /// Reads prefixes into `prefixes`; the first byte that is none.
    private mutating func skipPrefixes() -> UInt8? {
        while let byte = cursor.next() {
            switch byte {
            case 0x66: prefixes.hasOperandSize = true
            case 0x67: prefixes.hasAddressSize = true
            case 0xf0: prefixes.hasLock = true
            case 0x64: prefixes.segment = .fs
            case 0x65: prefixes.segment = .gs
            case 0x26, 0x2e, 0x36, 0x3e, 0xf2, 0xf3: break
            case 0x40...0x4f:
                prefixes.rex = byte
                continue
            default: return byte
            }
            prefixes.rex = 0  // REX counts only right before the opcode
        }
        return nil
    }

    private mutating func oneByte(_ opcode: UInt8) -> Operation? {
        switch opcode {
        case 0x6c...0x6f, 0xec...0xee: return .portAccess
        case 0x8e:
            guard let modRM = modRM(), let segment = SegmentRegister(rawValue: modRM.digit), segment != .cs else {
                return nil
            }
            return .loadSegment(segment, modRM.operand)
        case 0xca:
            guard let dropping = cursor.unsigned16(), let size = farSize else { return nil }
            return .farReturn(size: size, dropping: dropping)
        case 0xcb: return farSize.map { .farReturn(size: $0, dropping: 0) }
        case 0xcd: return cursor.next().map { .softwareInterrupt($0) }
        case 0xcf: return prefixes.isWide ? .interruptReturn : nil
        case 0xef: return prefixes.hasOperandSize ? .portAccess : .call
        case 0xf4: return .halt
        case 0xfa: return .clearInterrupts
        case 0xfb: return .setInterrupts
        case 0xff: return farTransfer()
        default: return nil
        }
    }

    /// The offset of a far pointer: 16-bit ones belong to a mode that the guest is not in.
    private var farSize: UInt8? { prefixes.isWide ? 8 : prefixes.hasOperandSize ? nil : 4 }

    private mutating func farTransfer() -> Operation? {
        guard let modRM = modRM(), case .memory(let pointer) = modRM.operand, let size = farSize else { return nil }
        switch modRM.digit {
        case 3: return .farCall(pointer, size: size)
        case 5: return .farJump(pointer, size: size)
        default: return nil
        }
    }

    private mutating func twoBytes() -> Operation? {
        guard let opcode = cursor.next() else { return nil }
        switch opcode {
        case 0x00: return taskGroup()
        case 0x01: return systemGroup()
        case 0x06: return .clearTaskSwitched
        case 0x08, 0x09: return .flush
        case 0x20...0x23: return controlMove(opcode)
        case 0x30: return .writeMSR
        case 0x32: return .readMSR
        case 0x38: return invalidateContext()
        case 0xa1: return .popSegment(.fs, size: prefixes.hasOperandSize ? 2 : 8)
        case 0xa9: return .popSegment(.gs, size: prefixes.hasOperandSize ? 2 : 8)
        default: return nil
        }
    }

    /// 0f 00
    private mutating func taskGroup() -> Operation? {
        guard let modRM = modRM() else { return nil }
        switch modRM.digit {
        case 0: return .storeLocalTable(modRM.operand, size: storeSize(modRM.operand))
        case 1: return .storeTaskRegister(modRM.operand, size: storeSize(modRM.operand))
        case 2: return .loadLocalTable(modRM.operand)
        case 3: return .loadTaskRegister(modRM.operand)
        default: return nil
        }
    }

    /// Memory gets two bytes, a register as many as the operand size says.
    private func storeSize(_ operand: Operand) -> UInt8 {
        if case .memory = operand { return 2 }
        return prefixes.isWide ? 8 : prefixes.hasOperandSize ? 2 : 4
    }

    /// 0f 01: with memory the digit decides, with a register mostly the whole byte.
    private mutating func systemGroup() -> Operation? {
        guard let byte = cursor.peek, let modRM = modRM() else { return nil }
        switch (modRM.digit, modRM.operand) {
        case (0, .memory(let table)): return .storeTable(.gdt, table)
        case (1, .memory(let table)): return .storeTable(.idt, table)
        case (2, .memory(let table)): return .loadTable(.gdt, table)
        case (3, .memory(let table)): return .loadTable(.idt, table)
        case (4, let operand): return .storeStatusWord(operand, size: storeSize(operand))
        case (6, let operand): return .loadStatusWord(operand)
        case (7, .memory): return .flush
        default: break
        }
        switch byte {
        case 0xd1: return .writeXCR
        case 0xf8: return .swapGS
        default: return nil
        }
    }

    /// MOV of a control or debug register: always register to register, whatever ModRM's mode says.
    private mutating func controlMove(_ opcode: UInt8) -> Operation? {
        guard let byte = cursor.next() else { return nil }
        let special = byte >> 3 & 7 | prefixes.extendedRegister
        let general = byte & 7 | prefixes.extendedBase
        let isControl = opcode & 1 == 0
        guard isControl ? [0, 2, 3, 4, 8].contains(special) : special < 8 else { return nil }
        switch opcode {
        case 0x20: return .readControl(special, to: general)
        case 0x21: return .readDebug(special, to: general)
        case 0x22: return .writeControl(special, from: general)
        default: return .writeDebug(special, from: general)
        }
    }

    /// 66 0f 38 82: INVPCID.
    private mutating func invalidateContext() -> Operation? {
        guard prefixes.hasOperandSize, cursor.next() == 0x82, let modRM = modRM(), case .memory = modRM.operand else {
            return nil
        }
        return .flush
    }
}

/// What came before the opcode.
struct Prefixes: Sendable {
    var hasOperandSize = false
    var hasAddressSize = false
    var hasLock = false
    var segment: SegmentRegister?
    /// The REX byte, 0 for none.
    var rex: UInt8 = 0

    var isWide: Bool { rex & 8 != 0 }
    /// What REX.R, X and B add to a register's three bits.
    var extendedRegister: UInt8 { rex << 1 & 8 }
    var extendedIndex: UInt8 { rex << 2 & 8 }
    var extendedBase: UInt8 { rex << 3 & 8 }
}
