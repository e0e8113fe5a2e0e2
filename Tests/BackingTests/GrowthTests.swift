// How memory grows: steps, limits, and the gate that opens last.
//
// Read next: ReportTests.swift.

import GuestMemory
import Host
import TestSupport
import Testing

@testable import Backing

@Suite struct GrowthPlanTests {
    private static let fourGiB: UInt64 = 1 << 32

    @Test func noMaximumIsNoGrowth() throws {
        let plan = try GrowthPlan(size: 64 << 20, maximum: nil)
        #expect(plan.limit == 0 && plan.step == 0)
        #expect(plan.high(0..<0) == 0..<0)
    }

    @Test(
        arguments: [
            (64 << 20, 64 << 20, fourGiB, 2 << 20), (64 << 20, 66 << 20, fourGiB + 2 << 20, 2 << 20),
            (2 << 20, 514 << 20, fourGiB + 512 << 20, 2 << 20), (2 << 20, 516 << 20, fourGiB + 514 << 20, 4 << 20),
            (4 << 30, 5 << 30, fourGiB + 2 << 30, 4 << 20), (1 << 30, 9 << 30, fourGiB + 8 << 30, 32 << 20),
        ] as [(UInt64, UInt64, UInt64, UInt64)])
    func stepsAreAtMost256(size: UInt64, maximum: UInt64, limit: UInt64, step: UInt64) throws {
        let plan = try GrowthPlan(size: size, maximum: maximum)
        #expect(plan.limit == limit)
        #expect(plan.step == step)
    }

    @Test(
        arguments: [
            (64 << 20, 62 << 20), (64 << 20, 65 << 20), (1 << 20, 64 << 20), (64 << 20, 1 << 40 + 2 << 20),
            (64 << 20, 1 << 62),
        ] as [(UInt64, UInt64)])
    func whatCannotBe(size: UInt64, maximum: UInt64) {
        #expect(throws: BackingError.maximum(maximum)) { _ = try GrowthPlan(size: size, maximum: maximum) }
    }
}

@Suite struct GrowthTests {
    private static let start: UInt64 = 1 << 32

    /// A memory of 2 MiB that may grow to 2 + `mebibytes`.
    private func grow(
        to mebibytes: UInt64, _ backing: Backing = .anonymous,
        _ body: (borrowing GuestMemory, Growth, MemoryStore?) throws -> Void
    ) throws {
        let plan = try GrowthPlan(size: 2 << 20, maximum: (2 + mebibytes) << 20)
        let memory = try GuestMemory(low: 0x1_0000..<2 << 20, high: plan.high(0..<0), limit: plan.limit)
        let store = try MemoryStore.open(backing, for: memory)
        try body(memory, Growth(plan, nil, after: SlotTotals(), store: store), store)
    }

    @Test(arguments: ["anon", "memfd", "file"])
    func whatIsGrantedIsMemory(kind: String) throws {
        let folder = ScratchFolder()
        let backing = kind == "file" ? Backing.file(folder.path + "/memory") : Backing(kind) ?? .anonymous
        try grow(to: 8, backing) { memory, growth, store in
            #expect(memory.contains(GuestAddress(Self.start), 1) == false)
            #expect(growth.grow(memory, by: 1) == Self.start..<Self.start + 2 << 20)
            #expect(memory.contains(GuestAddress(Self.start), 2 << 20) == true)
            #expect(memory.contains(GuestAddress(Self.start), 2 << 20 + 1) == false)
            #expect(growth.grow(memory, by: 3 << 20) == Self.start + 2 << 20..<Self.start + 6 << 20)
            #expect(growth.grow(memory, by: 2 << 20 + 1) == 0..<0, "2 MiB are left")
            #expect(growth.grow(memory, by: 2 << 20) == Self.start + 6 << 20..<Self.start + 8 << 20)
            #expect(growth.grow(memory, by: 1) == 0..<0)
            #expect(growth.totals.count == 3 && growth.totals.bytes == 8 << 20)
            let last = GuestAddress(Self.start + 8 << 20 - 8)
            #expect(memory.read(last, as: UInt64.self) == 0 && memory.write(UInt64(7), at: last) == true)
            #expect(memory.read(last, as: UInt64.self) == 7)
            #expect(MemoryStore.release(GuestAddress(Self.start), 8 << 20, of: memory, in: store) == 0)
            #expect(memory.read(last, as: UInt64.self) == 0)
        }
    }

    @Test(arguments: [0, 8 << 20 + 1, 1 << 40, 1 << 63, .max] as [UInt64])
    func whatCannotBeGrantedChangesNothing(size: UInt64) throws {
        try grow(to: 8) { memory, growth, _ in
            #expect(growth.grow(memory, by: size) == 0..<0)
            #expect(memory.high.isEmpty == true)
            #expect(growth.grow(memory, by: 8 << 20).count == 8 << 20, "and nothing is lost")
        }
    }

    /// 65 steps of 4 MiB in 258 MiB: the last one is what is left.
    @Test func theLastStepMayBeShorter() throws {
        try grow(to: 514) { memory, growth, _ in
            var total = 0
            while case let range = growth.grow(memory, by: 1), !range.isEmpty { total += range.count }
            #expect(total == 514 << 20)
            #expect(growth.totals.count == 129)
        }
    }
}
