// Guest memory by virtual address, exception frames and port instructions: what reports are read from.
//
// Read next: MachineTests.swift.

import Boot
import GuestMemory
import ImageBuilder
import KVM
import TestSupport
import Testing
import X86

@testable import VMM

@Suite struct GuestViewTests {
    private let guest = try? InventedGuest()

    /// Maps the first 2 MiB but the page at 0x90000, with tables at 0xa0000.
    private func view() throws -> GuestView {
        let guest = try #require(guest)
        var builder = PageTableBuilder(tables: 0xa_0000..<0xa_8000)
        for range in [0x1_0000..<0x9_0000, 0x9_1000..<0x20_0000] as [Range<UInt64>] {
            let isMapped = builder.mapIdentity(range, .data, huge: false, in: guest.platform.memory)
            #expect(isMapped)
        }
        return GuestView(guest.platform, root: builder.root)
    }

    @Test func bytesEndWhereNothingIsMapped() throws {
        let view = try view()
        guest?.write("abcd", at: 0x8_fffc)
        #expect(view.bytes(at: 0x8_fffc, 16) == Array("abcd".utf8))
        #expect(view.bytes(at: 0x9_0000, 16) == [])
        #expect(view.bytes(at: 0x10_0000, 16) == [], "mapped, but no memory")
        #expect(view.bytes(at: .max - 3, 16) == [], "around the end of addresses")
        #expect(view.bytes(at: 1 << 47 | 0x8_fffc, 16) == [], "not canonical")
    }

    @Test func wreckedTablesShowNothing() throws {
        let guest = try #require(guest)
        for root in [0, 0x1000, 0x8_0000, 0xf_f000, 0x10_0000, UInt64.max] {
            #expect(GuestView(guest.platform, root: root).bytes(at: 0x4_0000, 16) == [])
        }
    }

    /// The instruction that ends at an address, as a port exit leaves RIP: bytes, and how long it is.
    private static let instructions: [([UInt8], UInt64)] = [
        ([0x90, 0xef], 1), ([0x90, 0xee], 1), ([0x90, 0xed], 1), ([0x90, 0xec], 1), ([0xe7, 0x10], 2),
        ([0xe5, 0x10], 2),
        ([0xe4, 0xee], 1),  // as likely an OUT of AL to DX behind another byte
        ([0x90, 0x90], 0),
    ]

    @Test(arguments: instructions.indices)
    func portInstructionIsFoundBackwards(index: Int) throws {
        let (bytes, length) = Self.instructions[index]
        let view = try view()
        guest?.platform.memory.write(bytes: bytes, at: GuestAddress(0x8_0000))
        #expect(view.portInstruction(before: 0x8_0002) == 0x8_0002 - length)
        #expect(view.portInstruction(before: 0x9_1001) == 0x9_1001, "the byte before is not mapped")
        #expect(view.portInstruction(before: 0) == 0)
    }
}

@Suite struct ExceptionFrameTests {
    /// The frame that the CPU pushes: SS, RSP, RFLAGS, CS, RIP, and an error code for some (SDM vol. 3A, figure 6-9).
    private func push(_ guest: InventedGuest, errorCode: UInt64?) -> GuestRegisters {
        let top = AddressMap.reportStackTop(vcpu: 0)
        var words: [UInt64] = [0x2b, 0x7_0000, 0x3246, 0x33, 0x4_1234]
        if let errorCode { words.append(errorCode) }
        for (index, word) in words.enumerated() {
            guest.platform.memory.write(word, at: GuestAddress(top - UInt64(index + 1) * 8))
        }
        var registers = GuestRegisters()
        registers.general.rsp = top - UInt64(words.count) * 8
        return registers
    }

    @Test(arguments: [(14, 0x15), (6, nil), (8, 0), (32, nil)] as [(Int, UInt64?)])
    func registersAreThoseAtTheException(vector: Int, code: UInt64?) throws {
        let guest = try InventedGuest()
        var registers = push(guest, errorCode: code)
        let frame = ExceptionFrame(vector, registers, guest.context)
        #expect(frame?.errorCode == code)
        frame?.restore(&registers)
        #expect((registers.rip, registers.general.rsp, registers.general.rflags) == (0x4_1234, 0x7_0000, 0x3246))
        #expect((registers.cs, registers.ss) == (0x33, 0x2b))
    }

    @Test func jumpIntoAStubHasNoFrame() throws {
        let guest = try InventedGuest()
        let registers = push(guest, errorCode: nil)
        #expect(ExceptionFrame(14, registers, guest.context) == nil, "no error code was pushed")
        #expect(ExceptionFrame(6, GuestRegisters(), guest.context) == nil)
    }
}

@Suite struct GuestCPUTests {
    private let cpu = GuestCPU()

    private func leaf(_ number: UInt32) -> CPUIDLeaf? { cpu.cpuid.leaves.first { $0.leaf == number } }

    @Test func whatNeedsRingZeroIsHidden() {
        #expect(cpu.features.leaf1_ecx & (1 << 3 | 1 << 5 | 1 << 6 | 1 << 21 | 1 << 24) == 0)
        #expect(cpu.features.leaf80000001_ecx & 1 << 2 == 0, "SVM")
        #expect(cpu.features.leaf7_edx & (1 << 22 | 1 << 24 | 1 << 25) == 0, "AMX")
        #expect(cpu.features.leaf1_ecx & 1 << 31 != 0, "a hypervisor")
    }

    @Test func vectorsAndTheirStateComeTogether() {
        #expect(cpu.xcr0 == cpu.features.xcr0)
        if cpu.xcr0 & XCR0.avx == 0 { #expect(cpu.features.leaf1_ecx & 1 << 28 | cpu.features.leaf7_ebx & 1 << 5 == 0) }
        if cpu.xcr0 & XCR0.avx512 == 0 { #expect(cpu.features.leaf7_ebx & 1 << 16 == 0) }
        #expect((cpu.xcr0 == 0) == (cpu.cr4 & CR4.xsave == 0))
        #expect(cpu.cr4 & CR4.ring3 == CR4.ring3)
    }

    @Test func tableSaysTheSameAsBootInfo() {
        #expect(leaf(1)?.ecx == cpu.features.leaf1_ecx)
        #expect(leaf(1)?.edx == cpu.features.leaf1_edx)
        #expect(leaf(7)?.ebx == cpu.features.leaf7_ebx)
        #expect(leaf(0x8000_0001)?.edx == cpu.features.leaf80000001_edx)
        #expect((leaf(0x8000_0001)?.edx ?? 0) & 1 << 29 != 0, "long mode")
        if cpu.xcr0 != 0 { #expect(leaf(0xd)?.eax == UInt32(truncatingIfNeeded: cpu.xcr0)) }
    }
}
