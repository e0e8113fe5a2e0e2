// The lines of `--step`, and the gates by which it finds a guest's handlers.
//
// Read next: Sources/Debugger/Narration/Narrator.swift, Tests/GuestTests/NarrationTests.swift.

import KVM
import Testing

@testable import Debugger

@Suite struct NarrationTests {
    private func line(_ code: [UInt8], at address: UInt64 = 0x4_0050, _ place: String? = "main+0x2", bits: Int = 64)
        -> InstructionLine
    { InstructionLine(7, at: address, place, code, bits: bits) }

    @Test func headHasColumns() {
        #expect(
            line([0x31, 0xed, 0xe9, 0, 0]).head
                == "     7  main+0x2                31 ed                    xor ebp, ebp")
        #expect(
            line([0x31, 0xed], nil, bits: 16).head.contains(" 0x40050 ")
                && line([0x31, 0xed], bits: 16).words == "xor bp, bp")
        let long = line([0x48, 0x89, 0x8c, 0x24, 0x48, 1, 0, 0])
        #expect(long.head.hasSuffix("48 89 8c 24 48 01 00 00  mov qword ptr [rsp + 0x148], rcx"))
    }

    @Test func whatIsNoInstruction() {
        #expect(line([]).words == "(nothing is mapped here)" && line([]).bytes.isEmpty)
        #expect(line([0x06, 0x90]).words == "(no instruction)" && line([0x06, 0x90]).bytes == [0x06])
    }

    @Test func changesStandInAColumn() {
        let short = line([0x31, 0xed])
        let whole = short.head + short.tail(["rbp 0x1 -> 0x0", "eflags [] -> [ZF]"], isAlone: false)
        #expect(whole.hasSuffix(" rbp 0x1 -> 0x0, eflags [] -> [ZF]\n"))
        #expect(InstructionLine.title.hasSuffix(" changed\n"))
        #expect(
            whole.utf8.count - "rbp 0x1 -> 0x0, eflags [] -> [ZF]\n".utf8.count
                == InstructionLine.title.utf8.count - "changed\n".utf8.count)
        #expect(short.tail([], isAlone: false) == "\n" && short.tail([], isAlone: true).isEmpty)
        #expect(short.tail(["rax 0x0 -> 0x1"], isAlone: true) == "          rax 0x0 -> 0x1\n")
    }

    /// Those lines end before the instruction is executed.
    @Test(
        arguments: [
            ([0xef], true), ([0x66, 0xef], true), ([0xe7, 0x20], true), ([0xec], true), ([0xe4, 1], true),
            ([0xf3, 0x6e], true), ([0x2e, 0xf3, 0x6e], true), ([0x65, 0x66, 0x41, 0xed], true),
            ([0x6c], true), ([0xf3, 0x48, 0xab], false), ([0x31, 0xed], false), ([0xe9, 0, 0, 0, 0], false),
            ([0x48, 0x6e], true),
            ([0xf4], false), ([0xe8, 0, 0, 0, 0], false),
        ] as [([UInt8], Bool)])
    func portAccesses(code: [UInt8], expected: Bool) {
        #expect(line(code).isPortAccess == expected)
    }

    private func file(_ change: (inout Registers) -> Void = { _ in }, vector: [Int: UInt8] = [:]) -> RegisterFile {
        var general = Registers()
        general.rflags = 0x202
        change(&general)
        var area = [UInt8](repeating: 0, count: 4096)
        area[512] = 7
        for (place, byte) in vector { area[place] = byte }
        return RegisterFile(general, SpecialRegisters(), vector: area)
    }

    @Test func onlyWhatChangedIsSaid() {
        let table = RegisterTable(is64Bit: true, hasAVX: true)
        let old = file { $0.rax = 0x21 }
        #expect(old.changes(since: old, table).isEmpty)
        let new = file(
            {
                $0.rsp = 0x53ff8; $0.rip = 5; $0.rflags = 0x246
            }, vector: [160 + 16 + 1: 0xab, 576: 0x1c])
        #expect(
            new.changes(since: old, table) == [
                "rax 0x21 -> 0x0", "rsp 0x0 -> 0x53ff8", "eflags [IF] -> [PF ZF IF]", "xmm1 0x0 -> 0xab00",
                "ymm0h 0x0 -> 0x1c",
            ])
        let narrow = RegisterTable(is64Bit: false, hasAVX: false)
        #expect(new.changes(since: old, narrow).prefix(2) == ["eax 0x21 -> 0x0", "esp 0x0 -> 0x53ff8"])
    }

    /// TF and RF are a step's own, and x87 keeps notes of its last instruction.
    @Test func stepsOwnTracesAreLeftOut() {
        let table = RegisterTable(is64Bit: true, hasAVX: true)
        let stepped = file({ $0.rflags = 0x1_0302 }, vector: [6: 1, 8: 2, 16: 3])
        #expect(stepped.changes(since: file(), table).isEmpty)
        #expect(RegisterFile.flags(0xcd5) == "CF PF AF ZF SF DF OF" && RegisterFile.flags(2).isEmpty)
    }

    /// A gate of 64-bit mode (Intel SDM vol. 3A, figure 7-8); `type` with the present bit.
    private func gate(_ address: UInt64, type: UInt8 = 0x8f) -> [UInt8] {
        func bytes(_ value: UInt64, _ count: UInt64) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return bytes(address, 2) + [0x33, 0, 0, type] + bytes(address >> 16, 2) + bytes(address >> 32, 4) + [
            0, 0, 0, 0,
        ]
    }

    @Test func handlersAreFoundByTheirGates() {
        var entries = HandlerEntries()
        let high: UInt64 = 0xffff_8000_1234_5678
        let table =
            gate(0x4_1000) + gate(0x4_2000, type: 0x0f) + gate(high, type: 0xee) + gate(0x4_1000, type: 0x8e)
            + gate(0, type: 0x85)
        let first = entries.update(table, is64Bit: true)
        #expect(first?.new == [0x4_1000, high] && first?.gone == [])
        #expect(entries.vectors(at: 0x4_1000, within: 1) == [0, 3] && entries.vectors(at: high, within: 1) == [2])
        #expect(entries.vectors(at: 0x4_1005, within: 1) == nil && entries.vectors(at: 0x4_1005, within: 16) == [0, 3])
        let again = entries.update(table, is64Bit: true)
        #expect(again == nil, "the same table is looked at once")
        let second = entries.update(gate(high), is64Bit: true)
        #expect(second?.new == [] && second?.gone == [0x4_1000])
    }

    @Test func gatesOf32BitsAreHalfAsLong() {
        var entries = HandlerEntries()
        let table = Array(gate(0x10_0000).prefix(8)) + Array(gate(0x10_2000).prefix(8)) + [1, 2, 3]
        let first = entries.update(table, is64Bit: false)
        #expect(first?.new == [0x10_0000, 0x10_2000])
        #expect(entries.vectors(at: 0x10_2000, within: 1) == [1])
    }
}
