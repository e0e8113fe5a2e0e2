// A guest in memory: segments, machine tables and page tables, as the guest's first instruction will find them.
//
// The page tables are walked page by page: what is mapped is what the layout says, and nothing can be both written and
// executed. Read next: BootInfoTests.swift.

import GuestMemory
import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct RingThreeTests {
    @Test func segmentsAreWhereTheyBelong() throws {
        let booted = try BootedImage(ELFBuilder.fullGuest().build())
        #expect(booted.bytes(0x4_0000, 0x31) == [UInt8](repeating: 0x90, count: 0x30) + [0])
        #expect(booted.bytes(0x4_2f00, 4) == [1, 2, 3, 0])
        #expect(booted.bytes(0x4_3000, 10) == Array("constants".utf8) + [0])
        #expect(booted.guest.segments.map(\.address) == [0x4_0000, 0x4_2f00, 0x4_3000])
    }

    @Test func vCPUStartsAsDocumented() throws {
        let booted = try BootedImage(ELFBuilder.fullGuest().build())
        let layout = booted.guest.layout
        #expect(booted.state.rip == 0x4_0010)
        #expect(booted.state.rdi == AddressMap.bootInfo)
        #expect(booted.state.cr3 == layout.tables.lowerBound)
        #expect(booted.state.rsp == layout.stack.upperBound - 8)
        #expect((booted.state.rsp + 8) % 16 == 0, "as after a call")
    }

    /// Small, with high memory, and with a module that makes room between.
    @Test(arguments: [(1 << 20, 0), (7 << 20, 0x1_2345), (3 << 30 + 5 << 20, 0)] as [(UInt64, UInt64)])
    func everyPageIsMappedAsTheLayoutSays(memorySize: UInt64, moduleSize: UInt64) throws {
        let booted = try BootedImage(
            ELFBuilder.fullGuest().build(), memorySize: memorySize, moduleSize: moduleSize)
        let layout = booted.guest.layout
        var expected: [(Range<UInt64>, PageFlags)] = [
            (0x1000..<0x6000, .supervisor), (0x6000..<0x7000, .code),
            (0x1_0000..<0x4_0000, .data), (0x4_0000..<0x4_1000, .code), (0x4_1000..<0x4_2000, .data),
            (0x4_2000..<0x4_3000, .data), (0x4_3000..<0x4_4000, .readOnly),
            (layout.stack.lowerBound..<layout.low.upperBound, .data),
        ]
        if !layout.high.isEmpty { expected.append((layout.high, .data)) }
        var address: UInt64 = 0
        for (range, flags) in expected {
            #expect(isUnmapped(address..<range.lowerBound, booted))
            checkMapped(range, flags, booted)
            address = range.upperBound
        }
        #expect(isUnmapped(address..<address + 0x40_0000, booted))
        #expect(booted.walk(layout.stack.lowerBound - 1) == nil, "the guard page")
    }

    private func isUnmapped(_ range: Range<UInt64>, _ booted: BootedImage) -> Bool {
        // In large steps where there are no small pages: the hole under 4 GiB.
        stride(from: range.lowerBound, to: range.upperBound, by: range.count > 1 << 24 ? 0x20_0000 : 0x1000)
            .allSatisfy { booted.walk($0) == nil }
    }

    private func checkMapped(_ range: Range<UInt64>, _ flags: PageFlags, _ booted: BootedImage) {
        var address = range.lowerBound
        while address < range.upperBound {
            guard let mapping = booted.walk(address) else {
                Issue.record("0x\(String(address, radix: 16)) is not mapped")
                return
            }
            guard mapping.physical == address, mapping.flags == flags, address % mapping.pageSize == 0 else {
                Issue.record("0x\(String(address, radix: 16)) is mapped as \(mapping)")
                return
            }
            if address < AddressMap.hugePageSize || range.upperBound - address < AddressMap.hugePageSize {
                guard mapping.pageSize == 0x1000 else {
                    Issue.record("a huge page at 0x\(String(address, radix: 16))")
                    return
                }
            }
            address += mapping.pageSize
        }
    }

    @Test func nothingCanBeWrittenAndExecuted() throws {
        let booted = try BootedImage(ELFBuilder.fullGuest().build())
        for page in stride(from: UInt64(0), to: 4 << 20, by: 4096) {
            guard let flags = booted.walk(page)?.flags else { continue }
            #expect(!flags.contains(.writable) || flags.contains(.noExecute))
            #expect(flags.contains(.user) || (0x1000..<0x6000).contains(page))
        }
    }

    @Test func machineTablesAreInPlace() throws {
        let booted = try BootedImage(ELFBuilder.guest().build())
        func word(_ address: UInt64) -> UInt64 {
            booted.memory.machinePointer(address, 8)?.loadUnaligned(as: UInt64.self) ?? 0
        }
        let gdt = GDT.entries(tss: AddressMap.tss, tssLimit: TSS.limit)
        for index in gdt.indices { #expect(word(AddressMap.gdt + UInt64(index) * 8) == gdt[index]) }
        for vector in 0..<256 {
            let gate = IDT.gate(vector: vector, handler: Stub.address(vector: vector), stack: 1)
            #expect(word(AddressMap.idt + UInt64(vector) * 16) == gate.low)
            #expect(word(AddressMap.idt + UInt64(vector) * 16 + 8) == gate.high)
            #expect(word(Stub.address(vector: vector)) == Stub.code(vector: vector))
        }
        #expect(word(AddressMap.tss + 36) == AddressMap.reportStackTop(vcpu: 0))
        #expect(word(0) == 0, "page zero is empty")
        for address in stride(from: UInt64(0x7000), to: 0x1_0000, by: 8) { #expect(word(address) == 0) }
    }
}
