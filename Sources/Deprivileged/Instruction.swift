// A privileged instruction as a value: what it does, to which operand, and how long it is.
//
// These are what a ring-0 kernel executes and ring 3 may not: the CPU answers each with #GP or #UD, and the monitor does
// it in the CPU's stead. Names and encodings: Intel SDM vol. 2. Read next: Decoder.swift.

/// The segment registers by their number in an instruction.
package enum SegmentRegister: UInt8, Sendable {
    case es = 0, cs, ss, ds, fs, gs
}

/// Where an instruction's memory operand lies.
package struct MemoryOperand: Equatable, Sendable {
    /// Number of a general register, 0 for RAX to 15 for R15.
    package var base: UInt8?
    package var index: UInt8?
    /// The index is shifted left by that much.
    package var scale: UInt8 = 0
    package var displacement: Int64 = 0
    /// The displacement counts from the next instruction.
    package var isRelative = false
    /// FS or GS, whose base is added; in 64-bit mode the others' is 0.
    package var segment: SegmentRegister?
    /// The address is cut to 32 bits (prefix 67).
    package var isShort = false

    package init() {}
}

/// An operand that ModRM names.
package enum Operand: Equatable, Sendable {
    case register(UInt8)
    case memory(MemoryOperand)
}

/// The descriptor tables that have a register with base and limit.
package enum TableRegister: Sendable {
    case gdt, idt
}

/// What an instruction does. Sizes are bytes.
package enum Operation: Equatable, Sendable {
    case loadTable(TableRegister, MemoryOperand)
    case storeTable(TableRegister, MemoryOperand)
    case loadTaskRegister(Operand)
    case storeTaskRegister(Operand, size: UInt8)
    case loadLocalTable(Operand)
    case storeLocalTable(Operand, size: UInt8)
    /// LMSW and SMSW: the low 16 bits of CR0.
    case loadStatusWord(Operand)
    case storeStatusWord(Operand, size: UInt8)

    case readControl(UInt8, to: UInt8)
    case writeControl(UInt8, from: UInt8)
    case clearTaskSwitched
    case readDebug(UInt8, to: UInt8)
    case writeDebug(UInt8, from: UInt8)
    case readMSR, writeMSR
    case writeXCR
    case swapGS

    case loadSegment(SegmentRegister, Operand)
    case popSegment(SegmentRegister, size: UInt8)
    case interruptReturn
    /// RETF, which also drops `dropping` bytes of arguments.
    case farReturn(size: UInt8, dropping: UInt16)
    case farJump(MemoryOperand, size: UInt8)
    case farCall(MemoryOperand, size: UInt8)

    /// OUT DX, EAX: what calls are made of.
    case call
    /// IN and OUT of other sizes, INS, OUTS.
    case portAccess
    case halt
    case clearInterrupts, setInterrupts
    /// INT n; INT3 needs no help.
    case softwareInterrupt(UInt8)
    /// INVLPG, INVPCID, INVD, WBINVD: a well-behaved image's tables and caches need nothing.
    case flush
}

/// A decoded instruction.
package struct Instruction: Equatable, Sendable {
    package let operation: Operation
    /// Bytes, prefixes included.
    package let length: Int
}

/// The bytes at an instruction pointer: at most 15, fewer where a page behind them is not mapped.
package struct CodeBytes: Sendable {
    private var bytes: [15 of UInt8] = InlineArray(repeating: 0)
    package private(set) var count = 0

    package init() {}

    package init(_ code: some Sequence<UInt8>) { for byte in code { append(byte) } }

    /// What does not fit is no part of the instruction: none is longer (Intel SDM vol. 2A, 2.3.11).
    package mutating func append(_ byte: UInt8) {
        guard count < 15 else { return }
        bytes[count] = byte
        count += 1
    }

    package subscript(_ index: Int) -> UInt8? { index < count ? bytes[index] : nil }
}
