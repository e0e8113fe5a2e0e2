// Page tables over a dictionary: what the builder maps, the walk finds, with the permissions that were asked for.
//
// Read next: PVClockTests.swift.

import Testing

@testable import X86

/// Words by address. What is in no range is no memory.
final class DictionaryMemory: PageTableMemory {
    private(set) var words: [UInt64: UInt64] = [:]
    let memory: Range<UInt64>

    init(_ memory: Range<UInt64>) { self.memory = memory }

    func loadEntry(_ address: UInt64) -> UInt64? {
        precondition(address % 8 == 0, "entries are aligned")
        return memory.contains(address) ? words[address] ?? 0 : nil
    }

    func storeEntry(_ value: UInt64, _ address: UInt64) {
        precondition(address % 8 == 0 && memory.contains(address))
        words[address] = value
    }
}

/// A builder at work. A class, because #expect copies what it looks at.
final class Tables {
    let memory: DictionaryMemory
    private(set) var builder: PageTableBuilder

    init(_ range: Range<UInt64>) {
        memory = DictionaryMemory(range)
        builder = PageTableBuilder(tables: range)
    }

    func map(_ range: Range<UInt64>, _ flags: PageFlags = .data, huge: Bool = true) -> Bool {
        builder.mapIdentity(range, flags, huge: huge, in: memory)
    }

    func walk(_ address: UInt64) -> PageWalk.Mapping? {
        PageWalk.translate(address, root: builder.root, in: memory)
    }
}

@Suite struct PageTableBuilderTests {
    static let start: UInt64 = 0x10_0000
    let tables = Tables(start..<0x20_0000)

    @Test(arguments: [PageFlags.data, .readOnly, .code, .supervisor])
    func smallPagesKeepTheirFlags(flags: PageFlags) {
        #expect(tables.map(0x4_0000..<0x4_3000, flags))
        for address in [0x4_0000, 0x4_0001, 0x4_1fff, 0x4_2fff] as [UInt64] {
            #expect(tables.walk(address) == PageWalk.Mapping(physical: address, pageSize: 4096, flags: flags))
        }
        #expect(tables.walk(0x3_ffff) == nil)
        #expect(tables.walk(0x4_3000) == nil)
        #expect(tables.builder.next == Self.start + 4 * 4096, "root and one table for each level")
    }

    @Test func hugePagesWhereBothEndsAllow() {
        #expect(tables.map(0x1f_f000..<0x80_1000))
        #expect(tables.walk(0x1f_f123)?.pageSize == 0x1000)
        for address in [0x20_0000, 0x3f_ffff, 0x40_0000, 0x7f_ffff] as [UInt64] {
            #expect(tables.walk(address)?.pageSize == 0x20_0000)
            #expect(tables.walk(address)?.physical == address)
        }
        #expect(tables.walk(0x80_0fff)?.pageSize == 0x1000)
        #expect(tables.walk(0x80_1000) == nil)
        #expect(tables.walk(0x20_0000)?.flags == .data, "the huge bit is no permission")
    }

    @Test func noHugePagesWhereNoneAreWanted() {
        #expect(tables.map(0x20_0000..<0x40_0000, huge: false))
        #expect(tables.walk(0x20_0000)?.pageSize == 0x1000)
        #expect(tables.walk(0x3f_ffff)?.physical == 0x3f_ffff)
    }

    @Test func highMemoryGetsItsOwnTables() {
        let high: Range<UInt64> = (1 << 39) - 0x20_0000..<(1 << 39) + 0x20_1000
        #expect(tables.map(high))
        #expect(tables.walk(high.lowerBound)?.pageSize == 0x20_0000)
        #expect(tables.walk(high.upperBound - 1)?.physical == high.upperBound - 1)
        #expect(tables.walk(high.upperBound) == nil)
    }

    @Test func fullTablesAreAnAnswer() {
        let small = Tables(0..<3 * 4096)
        #expect(!small.map(0x4_0000..<0x4_1000))
        #expect(small.map(0x20_0000..<0x40_0000), "needs no level-1 table")
    }

    @Test func emptyRangeMapsNothing() {
        #expect(tables.map(0x4_0000..<0x4_0000))
        #expect(tables.memory.words.isEmpty)
    }

    /// A machine's layout in small: ragged memory, an image of several segments anywhere, high memory.
    @Test(
        arguments: [0x10_0000, 0x40_0000, 0x1234_5000, 0x4000_0000, 0xc000_0000] as [UInt64],
        [0x4_0000, 0x1f_f000, 0x20_0000, 0x9f_f000] as [UInt64])
    func pagesNeededAreEnough(lowEnd: UInt64, image: UInt64) {
        let imageEnd = image + 0x40_3000
        guard imageEnd + 0x1_2000 < lowEnd else { return }
        let high: Range<UInt64> = 1 << 32..<(1 << 32) + 0x4020_1000
        let needed = PageTableBuilder.pagesNeeded(
            top: high.upperBound, splitRanges: Int((imageEnd - image) / AddressMap.hugePageSize) + 7)
        let tables = Tables(0..<needed * 4096)
        let ranges = [
            0x1000..<0x7000, 0x1_0000..<image, image..<image + 0x1000, image + 0x2000..<image + 0x20_3000,
            image + 0x20_4000..<imageEnd, imageEnd + 0x1000..<lowEnd, high,
        ]
        for range in ranges { #expect(tables.map(range)) }
        #expect(tables.walk(high.upperBound - 1)?.physical == high.upperBound - 1)
    }
}

@Suite struct PageWalkTests {
    let memory = DictionaryMemory(0..<0x1_0000)

    /// One chain: PML4 at 0, then 0x1000, 0x2000, 0x3000.
    private func chain(_ flags: [PageFlags], leaf: UInt64) {
        for (index, flag) in flags.enumerated() {
            let target = index == flags.count - 1 ? leaf : UInt64(index + 1) * 0x1000
            memory.storeEntry(target | flag.rawValue, UInt64(index) * 0x1000)
        }
    }

    @Test func gibibyteLeaf() {
        chain([.data, [.data, .huge]], leaf: 0x40_0000_0000)
        let mapping = PageWalk.translate(0x1234_5678, root: 0, in: memory)
        #expect(mapping == PageWalk.Mapping(physical: 0x40_1234_5678, pageSize: 1 << 30, flags: .data))
    }

    @Test func permissionsMustHoldAtEveryLevel() {
        let all: PageFlags = [.present, .writable, .user]
        for weak in 0..<4 {
            var flags = [PageFlags](repeating: all, count: 4)
            flags[weak] = .present
            chain(flags, leaf: 0x5000)
            #expect(PageWalk.translate(0x123, root: 0, in: memory)?.flags == .present)
            flags[weak] = [all, .noExecute]
            chain(flags, leaf: 0x5000)
            #expect(PageWalk.translate(0x123, root: 0, in: memory)?.flags == [all, .noExecute])
            flags[weak] = [.writable, .user]
            chain(flags, leaf: 0x5000)
            #expect(PageWalk.translate(0x123, root: 0, in: memory) == nil)
        }
    }

    @Test func rootsFlagBitsAreNoAddress() {
        chain([.data, .data, .data, .data], leaf: 0x5000)
        #expect(PageWalk.translate(0xabc, root: 0x8000_0000_0000_0018, in: memory)?.physical == 0x5abc)
    }

    @Test func tableOutsideMemoryMapsNothing() {
        chain([.data, .data], leaf: 0x10_0000)
        #expect(PageWalk.translate(0, root: 0, in: memory) == nil)
        #expect(PageWalk.translate(0, root: 0xffff_ffff_ffff_f000, in: memory) == nil)
    }

    @Test func tablesThatPointAtThemselvesEnd() {
        memory.storeEntry(PageFlags.data.rawValue, 0)
        #expect(PageWalk.translate(0x18, root: 0, in: memory)?.physical == 0x18)
    }

    /// Bits 63 to 48 must equal bit 47: the CPU would not even look at the tables.
    @Test(arguments: [1 << 48, 0x8000_0000_0000, 0x7fff_0000_0000_0000, 0xfffe_ffff_ffff_ffff] as [UInt64])
    func addressThatIsNotCanonicalIsNotMapped(address: UInt64) {
        for slot in stride(from: UInt64(0), to: 4096, by: 8) { memory.storeEntry(PageFlags.data.rawValue, slot) }
        #expect(PageWalk.translate(address, root: 0, in: memory) == nil)
        #expect(PageWalk.translate(0xffff_8000_0000_0000, root: 0, in: memory) != nil)
    }
}
