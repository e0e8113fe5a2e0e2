// What --mem, --mem-max and --backing would give: slots, their cost, growth, huge pages; and what `run` would refuse.
//
// Read next: Sources/swiftlet-inspect/SlotPlan.swift.

import Backing
import ImageBuilder
import TestSupport
import Testing

@testable import swiftlet_inspect

@Suite struct SlotPlanTests {
    private func plan(_ size: UInt64, _ maximum: UInt64? = nil, _ backing: Backing = .anonymous) throws -> SlotPlan {
        try SlotPlan(MemoryWishes(size: size, maximum: maximum, backing: backing))
    }

    @Test func slotsAreThoseOfTheMachine() throws {
        let small = try plan(64 << 20)
        #expect(small.slots.map(\.index) == [0, 1] && small.growth == nil)
        #expect(small.slots.last?.size == 64 << 20 - 0x1_0000)
        let large = try plan(5 << 30)
        #expect(large.slots.map(\.start) == [0x1000, 0x1_0000, 1 << 32])
        #expect(large.slots.last?.size == 2 << 30)
    }

    /// docs/memory.md has 161 MiB measured for 64 GiB, and 2571 MiB for 1 TiB.
    @Test func kernelsCostIsAsMeasured() {
        #expect((160...162).contains(SlotPlan.kernelBytes(64 << 30) >> 20))
        #expect((2540...2580).contains(SlotPlan.kernelBytes(1 << 40) >> 20))
    }

    @Test func growthIsWhatGrowCallsGive() throws {
        let growth = try #require(try plan(2 << 20, 34 << 20).growth)
        #expect((growth.start, growth.size, growth.step, growth.slots) == (1 << 32, 32 << 20, 2 << 20, 16))
        #expect(try plan(64 << 20, 64 << 20).growth == nil)
    }

    @Test func hugePagesAreWhereTheBackingHasThem() throws {
        #expect(try plan(64 << 20).hugeFrom == 2 << 20)
        #expect(try plan(64 << 20, nil, .transparentHuge).hugeFrom == 0)
        #expect(try plan(64 << 20, nil, .file("/x")).hugeFrom == nil)
    }

    /// The words of `swiftlet run`.
    @Test func whatRunRefusesIsAProblem() throws {
        let folder = ScratchFolder()
        let file = try folder.file("image", ELFBuilder.guest().build())
        let refused = [
            (MemoryWishes(size: 64 << 20, maximum: 62 << 20), "--mem-max 62 MiB: from --mem up to 1T"),
            (MemoryWishes(size: 33 << 20, backing: .hugetlb), "no multiple of the 2 MiB of a huge page"),
        ]
        for (wishes, words) in refused {
            let inspection = try Inspection(try InspectedFile(file), wishes, moduleSize: 0)
            #expect(inspection.problem?.contains(words) == true && !inspection.runnable)
        }
        let good = MemoryWishes(size: 32 << 20, maximum: 64 << 20, backing: .hugetlb)
        let text = try Inspection(try InspectedFile(file), good, moduleSize: 0).text
        #expect(text.contains("up to 16 slots of 2 MiB") && text.contains("memory of hugetlb"))
    }
}
