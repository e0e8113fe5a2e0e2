// A line of `--step`: which instruction, where, its bytes, its words, and behind them what it has changed.
//
// Only text. Capstone reads the bytes. Read next: RegisterChanges.swift.

import Disassembly

struct InstructionLine {
    /// "12", from 1.
    let count: UInt64
    /// "main+0x13", or the address where no symbol is.
    let place: String
    /// Those of the instruction; none where nothing is mapped.
    let bytes: [UInt8]
    /// "xor ebp, ebp"
    let words: String

    /// `code`: up to 15 bytes at `address`, in a mode of `bits`.
    init(_ count: UInt64, at address: UInt64, _ place: String?, _ code: [UInt8], bits: Int) {
        let instruction = DisassembledInstruction(code, at: address, bits: bits)
        self.count = count
        self.place = place ?? "0x" + String(address, radix: 16)
        bytes = Array(code.prefix(instruction?.size ?? 1))
        words = instruction?.text ?? (code.isEmpty ? "(nothing is mapped here)" : "(no instruction)")
    }

    static let title = padded(columns("#", "symbol", "bytes", "instruction"), changesColumn) + "changed\n"
    private static let changesColumn = 91

    /// Everything that is known before the instruction is executed, without the line's end.
    var head: String {
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        return Self.columns("\(count)", place, digits, words)
    }

    private static func columns(_ count: String, _ place: String, _ bytes: String, _ words: String) -> String {
        let number = String(repeating: " ", count: max(0, 6 - count.utf8.count)) + count
        return number + "  " + padded(place, 22) + "  " + padded(bytes, 23) + "  " + words
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    /// IN or OUT, also of strings: what it does outside comes before its line's end. Behind prefixes (sizes, REP, segments, REX)
    /// e4-e7, ec-ef or 6c-6f.
    var isPortAccess: Bool {
        let prefixes: Set<UInt8> = [0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]
        let operation = bytes.first { !prefixes.contains($0) && $0 & 0xf0 != 0x40 } ?? 0
        return operation & 0xf4 == 0xe4 || operation & 0xfc == 0x6c
    }

    /// What the instruction has changed, behind its head, or in a line of its own where something was told in between.
    func tail(_ changes: [String], isAlone: Bool) -> String {
        if changes.isEmpty { return isAlone ? "" : "\n" }
        let width = isAlone ? 0 : max(2, Self.changesColumn - head.utf8.count)
        return String(repeating: " ", count: isAlone ? 10 : width) + changes.joined(separator: ", ") + "\n"
    }
}
