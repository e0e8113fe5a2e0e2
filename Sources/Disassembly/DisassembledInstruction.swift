// An instruction in words: what a crash report shows of the bytes at RIP.
//
// Capstone reads it. Nothing of a start or an exit comes here: only the end of a guest that has gone wrong.
// Read next: InstructionSet.swift.

import CCapstone

public struct DisassembledInstruction: Equatable, Sendable {
    /// "pxor"
    public let name: String
    /// "xmm0, xmm0", in Intel's order.
    public let operands: String
    /// Bytes.
    public let size: Int
    /// Of the instruction set it belongs to, as Capstone calls them: "sse2".
    let groups: [String]

    /// "pxor xmm0, xmm0"
    public var text: String { operands.isEmpty ? name : "\(name) \(operands)" }

    /// The first instruction of `code`, in a mode of 16, 32 or 64 bits; nil when there is none.
    public init?(_ code: [UInt8], at address: UInt64, bits: Int) {
        // Sound: Capstone reads within the bytes, during the call.
        var found = unsafe code.withUnsafeBufferPointer {
            unsafe ccapstone_read($0.baseAddress, $0.count, address, UInt32(bits))
        }
        if code.isEmpty || found.size == 0 { return nil }
        size = Int(found.size)
        name = unsafe withUnsafeBytes(of: &found.name) { unsafe string($0) }.trimmed
        operands = unsafe withUnsafeBytes(of: &found.operands) { unsafe string($0) }.trimmed
        groups = unsafe withUnsafeBytes(of: &found.groups) { groups in
            stride(from: 0, to: groups.count, by: 16).map { start in
                unsafe string(UnsafeRawBufferPointer(rebasing: groups[start..<start + 16]))
            }
        }.filter { !$0.isEmpty }
    }
}

/// Up to the NUL.
private func string(_ bytes: UnsafeRawBufferPointer) -> String {
    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}

extension String {
    /// Without the spaces at its ends that Capstone leaves.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.last == " " { rest.removeLast() }
        while rest.first == " " { rest.removeFirst() }
        return String(rest)
    }
}
