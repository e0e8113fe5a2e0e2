// Boot info as a guest reads it: every field, the memory map, the command line.
//
// Read next: VMMTests.

import CABI
import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct BootInfoTests {
    private func info(_ booted: BootedImage) throws -> swiftlet_boot_info {
        try #require(booted.read(booted.state.rdi))
    }

    @Test func everyFieldIsFilledIn() throws {
        let booted = try BootedImage(
            ELFBuilder.fullGuest().build(), memorySize: 8 << 20, moduleSize: 5000, commandLine: "a b c")
        let info = try info(booted)
        let layout = booted.guest.layout
        #expect(info.magic == 0x5445_4c54_4649_5753)
        #expect((info.size, info.version) == (248, 1))
        #expect((info.memory_size, info.vcpu_count) == (8 << 20, 1))
        #expect((info.page_table_root, info.call_page) == (booted.state.cr3, 0x2_0000))
        #expect((info.module, info.module_size) == (layout.module.lowerBound, 5000))
        #expect((info.free_start, info.free_end) == (layout.largestFree.lowerBound, layout.largestFree.upperBound))
        #expect((info.stack_bottom, info.stack_top) == (layout.stack.lowerBound, layout.stack.upperBound))
        #expect((info.image_start, info.image_end) == (0x4_0000, 0x4_4000))
        #expect(info.tsc_frequency == 2_500_000_000)
        #expect((info.features.leaf1_ecx, info.features.xcr0) == (0x1234_5678, 7))
        let seed = booted.bytes(booted.state.rdi + 184, 32)
        #expect(seed.enumerated().allSatisfy { $1 == ($0 % 8 < 2 ? $0 / 8 + 1 : 0) })
        #expect((info.memory_max, info.memory_step) == (8 << 20, 0))
        #expect(booted.bytes(booted.state.rdi + 248, 100).allSatisfy { $0 == 0 })
    }

    @Test func noModuleIsZero() throws {
        let info = try info(try BootedImage(ELFBuilder.guest().build()))
        #expect((info.module, info.module_size) == (0, 0))
    }

    private static let longest = String(repeating: "x", count: 0xefff)
    private static let commandLines = [
        "", "one", "a  b", "--help ä€𝄞", longest,
    ]

    @Test(arguments: commandLines.indices)
    func commandLineEndsWithANUL(index: Int) throws {
        let line = Self.commandLines[index]
        let booted = try BootedImage(ELFBuilder.guest().build(), commandLine: line)
        let info = try info(booted)
        #expect(info.command_line_size == UInt64(line.utf8.count))
        #expect(booted.bytes(info.command_line, line.utf8.count + 1) == Array(line.utf8) + [0])
    }

    @Test func commandLineThatIsTooLong() {
        let line = String(repeating: "x", count: 0xf000)
        #expect(throws: ImageError.commandLineTooLong(size: 0xf000, limit: 0xefff)) {
            _ = try BootedImage(ELFBuilder.guest().build(), commandLine: line)
        }
    }

    /// Ascending, disjoint, in pages, and every byte of memory but the guard page in one of them.
    @Test(arguments: [(1 << 20, 0), (7 << 20, 0x1_2345), (3 << 30 + 5 << 20, 1)] as [(UInt64, UInt64)])
    func memoryMapTellsAll(memorySize: UInt64, moduleSize: UInt64) throws {
        let booted = try BootedImage(
            ELFBuilder.fullGuest().build(), memorySize: memorySize, moduleSize: moduleSize)
        let info = try info(booted)
        let map: [swiftlet_memory_range] = try (0..<UInt64(info.memory_map_count)).map {
            try #require(booted.read(info.memory_map + $0 * 24))
        }
        #expect(info.memory_map + UInt64(map.count) * 24 <= AddressMap.commandLine)
        for range in map {
            #expect(range.start % 4096 == 0 && range.size % 4096 == 0 && range.size > 0)
            #expect(range.reserved == 0)
        }
        for (lower, upper) in zip(map, map.dropFirst()) { #expect(lower.start + lower.size <= upper.start) }
        let total = map.dropFirst().reduce(0) { $0 + $1.size }
        #expect(total + 4096 == memorySize - AddressMap.memoryStart, "all but the guard page")
        func range(_ type: Int32) -> Range<UInt64>? {
            map.first { $0.type == UInt32(type) }.map { $0.start..<$0.start + $0.size }
        }
        let layout = booted.guest.layout
        #expect(range(SWIFTLET_MEMORY_MACHINE) == 0x1000..<0x7000)
        #expect(range(SWIFTLET_MEMORY_BOOT_INFO) == 0x1_0000..<0x2_0000)
        #expect(range(SWIFTLET_MEMORY_VCPU) == 0x2_0000..<0x4_0000)
        #expect(range(SWIFTLET_MEMORY_IMAGE) == layout.image)
        #expect(range(SWIFTLET_MEMORY_STACK) == layout.stack)
        #expect(range(SWIFTLET_MEMORY_PAGE_TABLES) == layout.tables)
        #expect(range(SWIFTLET_MEMORY_MODULE) == (moduleSize == 0 ? nil : layout.module))
        let free = map.filter { $0.type == UInt32(SWIFTLET_MEMORY_FREE) }.map { $0.start..<$0.start + $0.size }
        #expect(free == layout.free)
    }
}
