// What is said about memory after a run.
//
// Read next: VMMTests.

import CABI
import GuestMemory
import Testing

@testable import Backing

@Suite struct PageScanTests {
    @Test func touchedPagesAreCounted() throws {
        let memory = try GuestMemory(low: 0x1_0000..<2 << 20)
        for page: UInt64 in [0x10, 0x11, 0x80, 0x1ff] { memory.write(UInt8(1), at: GuestAddress(page << 12)) }
        let base = UInt64(memory.hostBase)
        let count = PageScan()?.count(base..<base + 2 << 20)
        #expect(count?.resident == 4 << 12)
        #expect(count?.anonymous == 4 << 12)
        #expect(count?.huge == 0 || count?.huge == nil)
        #expect(PageScan()?.count(base + 0x1_1000..<base + 0x8_0000)?.resident == 1 << 12)
    }

    @Test func aFilesPagesAreNotAnonymous() throws {
        let memory = try GuestMemory(low: 0x1_0000..<2 << 20)
        let store = try MemoryStore.open(.memfd, for: memory)
        memory.write(UInt8(1), at: GuestAddress(0x2_0000))
        let base = UInt64(memory.hostBase)
        let count = PageScan()?.count(base..<base + 2 << 20)
        #expect(count?.resident == 1 << 12 && count?.anonymous == 0)
        _ = store
    }
}

@Suite struct MappingTests {
    private static let smaps = """
        7f0000000000-7f0000200000 rw-p 00000000 00:00 0
        Size:               2048 kB
        Rss:                  60 kB
        Private_Dirty:        60 kB
        Anonymous:            60 kB
        AnonHugePages:         0 kB
        7f0000200000-7f0004000000 rw-p 00000000 08:01 77  /a b: c
        Rss:                4096 kB
        Shared_Dirty:          4 kB
        Private_Dirty:         8 kB
        Anonymous:            12 kB
        AnonHugePages:      2048 kB
        Private_Hugetlb:    2048 kB
        VmFlags: rd wr mr
        7f0004000000-7f0004001000 r--p 00000000 00:00 0
        Rss:                   4 kB
        """

    @Test func mappingsAreAddedUp() {
        let all = MappingTotals(smaps: Self.smaps, in: 0x7f00_0000_0000..<0x7f00_0400_0000)
        #expect(all.resident == (60 + 4096 + 2048) << 10)
        #expect(all.huge == 4096 << 10)
        #expect(all.dirty == 72 << 10)
        #expect(all.copied == 12 << 10)
        #expect(MappingTotals(smaps: "", in: 0..<1) == MappingTotals(smaps: Self.smaps, in: 0..<1))
    }
}

@Suite struct MemoryReportTests {
    @Test func regionsAndGrownMemoryAreThere() throws {
        let plan = try GrowthPlan(size: 2 << 20, maximum: 6 << 20)
        let memory = try GuestMemory(low: 0x1_0000..<2 << 20, high: plan.high(0..<0), limit: plan.limit)
        let growth = Growth(plan, nil, after: SlotTotals())
        _ = growth.grow(memory, by: 4 << 20)
        memory.write(UInt8(1), at: GuestAddress(0x4_0000))
        let map = [
            swiftlet_memory_range(start: 0x1_0000, size: 0x1_0000, type: 3, reserved: 0),
            swiftlet_memory_range(start: 0x4_0000, size: 0x1000, type: 5, reserved: 0),
        ]
        let report = MemoryReport(memory, backing: .anonymous, slots: growth.totals, map: map, planned: 0..<0)
        #expect(report.regions.map(\.what) == ["boot-info", "image", "grown"])
        #expect(report.regions.map(\.pages.resident) == [0, 4096, 0])
        #expect(report.regions.last?.range == 1 << 32..<1 << 32 + 4 << 20)
        #expect(report.total.resident == 4096 && report.total.dirty == 4096)
        #expect(report.json.contains("\"what\":\"image\",\"resident\":4096"))
        #expect(report.json.hasPrefix("{\"backing\":\"anon\",\"slots\":{\"count\":1,\"bytes\":4194304,"))
        #expect(report.text.contains("0x40000-0x40fff"))
        #expect(report.text.filter { $0 == "\n" }.count == 6)
    }
}
