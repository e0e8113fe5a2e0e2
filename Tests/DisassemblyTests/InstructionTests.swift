// Instructions in words, and what is said about those that a KVM could not emulate.
//
// Read next: Sources/Disassembly/InstructionSet.swift.

import Testing

@testable import Disassembly

private func read(_ code: UInt8..., bits: Int = 64) -> DisassembledInstruction? {
    DisassembledInstruction(code, at: 0x10_0000, bits: bits)
}

@Suite struct InstructionTests {
    @Test func anInstructionIsReadInTheModeOfItsCode() {
        let pxor = read(0x66, 0x0f, 0xef, 0xc0, 0x31, 0xc0)
        #expect(pxor?.text == "pxor xmm0, xmm0" && pxor?.size == 4)
        #expect(read(0x31, 0xc0, bits: 16)?.text == "xor ax, ax")
        #expect(read(0x31, 0xc0, bits: 32)?.text == "xor eax, eax")
        #expect(read(0xcf, bits: 32)?.name == "iretd")
        #expect(read(0xe8, 0, 0, 0, 0)?.text == "call 0x100005", "an address, not a distance")
        #expect(read(0xd9, 0xee)?.text == "fldz", "without a space behind it")
    }

    @Test func bytesThatAreNoneAreNone() {
        #expect(DisassembledInstruction([], at: 0, bits: 64) == nil)
        #expect(read(0x0f) == nil && read(0x06) == nil)
    }

    private static let sets: [([UInt8], String?, String?, String?)] = [
        ([0x66, 0x0f, 0xef, 0xc0], "SSE2", "-mgeneral-regs-only", nil),
        ([0x0f, 0xae, 0x11], "SSE", "-mgeneral-regs-only", nil),
        ([0xd9, 0xee], "x87", "-mgeneral-regs-only", nil),
        ([0xf3, 0x0f, 0xb8, 0xc1], "POPCNT", "-mno-popcnt", "popcnt"),
        ([0xf2, 0x0f, 0x38, 0xf0, 0xc1], "CRC32 (SSE4.2)", "-mno-crc32 -mno-sse4.2", "sse4_2"),
        ([0x48, 0x0f, 0xc7, 0x0e], "CMPXCHG16B", "-mno-cx16", "cx16"),
        ([0xc4, 0xe2, 0x78, 0xf2, 0xc1], "BMI1", "-mno-bmi", "bmi1"),
        ([0x66, 0x0f, 0x38, 0xf6, 0xc1], "ADX", "-mno-adx", "adx"), ([0x0f, 0x01, 0xcb], "SMAP", nil, "smap"),
        ([0x0f, 0x01, 0xd0], "XSAVE", nil, "xsave"), ([0x0f, 0xae, 0x21], "XSAVE", nil, "xsave"),
        ([0x62, 0xf1, 0x7d, 0x48, 0xfe, 0xc0], "AVX-512", "-mgeneral-regs-only", "avx512f"),
        ([0x0f, 0x01, 0xf9], "RDTSCP", nil, "rdtscp"), ([0x66, 0x0f, 0xae, 0x31], "CLWB", "-mno-clwb", "clwb"),
        ([0x90], nil, nil, nil), ([0x0f, 0xa2], nil, nil, nil),
    ]

    @Test(arguments: sets.indices)
    func anInstructionSetIsLeftOutByAnOptionOrHiddenByABit(index: Int) throws {
        let (code, name, option, bit) = Self.sets[index]
        let set = InstructionSet(try #require(DisassembledInstruction(code, at: 0, bits: 64)))
        #expect(set?.name == name && set?.option == option && set?.bit == bit)
    }

    /// Capstone reads what a hostile guest has left at RIP.
    @Test func anyBytesAreReadOrRefused() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100_000 {
            let word = generator.next()
            let code = withUnsafeBytes(of: (word, generator.next())) { Array($0) }
            let size = Int(word % 17)
            let found = DisassembledInstruction(Array(code.prefix(size)), at: word, bits: [16, 32, 64][Int(word % 3)])
            if let found { #expect((1...size).contains(found.size) && !found.name.isEmpty) }
        }
    }
}
