// The ModRM byte and what follows it: which register, or which place in memory, an instruction means.
//
// Intel SDM vol. 2A, chapter 2.1.5, tables 2-2 and 2-3; 64-bit mode: chapter 2.2.1. Read next: VirtualCPU.swift.

/// Reads an instruction byte by byte.
struct Cursor: Sendable {
    let code: CodeBytes
    private(set) var position = 0

    init(code: CodeBytes) { self.code = code }

    var peek: UInt8? { code[position] }

    /// Nil behind the last byte.
    mutating func next() -> UInt8? {
        guard let byte = code[position] else { return nil }
        position += 1
        return byte
    }

    mutating func unsigned16() -> UInt16? {
        guard let low = next(), let high = next() else { return nil }
        return UInt16(low) | UInt16(high) << 8
    }

    mutating func signed8() -> Int64? { next().map { Int64(Int8(bitPattern: $0)) } }

    mutating func signed32() -> Int64? {
        guard let low = unsigned16(), let high = unsigned16() else { return nil }
        return Int64(Int32(bitPattern: UInt32(low) | UInt32(high) << 16))
    }
}

/// A decoded ModRM byte with its SIB byte and displacement.
struct ModRM: Sendable {
    /// The reg field: three bits that name a register or are part of the opcode.
    let digit: UInt8
    let operand: Operand
}

extension Decoder {
    /// Reads ModRM and what it announces; nil when bytes are missing.
    mutating func modRM() -> ModRM? {
        guard let byte = cursor.next() else { return nil }
        let (mode, digit, low) = (byte >> 6, byte >> 3 & 7, byte & 7)
        if mode == 3 { return ModRM(digit: digit, operand: .register(low | prefixes.extendedBase)) }
        var memory = MemoryOperand()
        memory.segment = prefixes.segment
        memory.isShort = prefixes.hasAddressSize
        var hasLongDisplacement = mode == 2
        if low == 4 {
            guard let sib = cursor.next() else { return nil }
            memory.setIndex(sib, prefixes)
            if sib & 7 == 5, mode == 0 {
                hasLongDisplacement = true
            } else {
                memory.base = sib & 7 | prefixes.extendedBase
            }
        } else if low == 5, mode == 0 {
            memory.isRelative = true
            hasLongDisplacement = true
        } else {
            memory.base = low | prefixes.extendedBase
        }
        if hasLongDisplacement {
            guard let displacement = cursor.signed32() else { return nil }
            memory.displacement = displacement
        } else if mode == 1 {
            guard let displacement = cursor.signed8() else { return nil }
            memory.displacement = displacement
        }
        return ModRM(digit: digit, operand: .memory(memory))
    }
}

extension MemoryOperand {
    /// RSP cannot be an index: its number means none. R12 can.
    fileprivate mutating func setIndex(_ sib: UInt8, _ prefixes: Prefixes) {
        let number = sib >> 3 & 7 | prefixes.extendedIndex
        guard number != 4 else { return }
        index = number
        scale = sib >> 6
    }
}
