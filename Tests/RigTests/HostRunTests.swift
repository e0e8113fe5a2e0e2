// The same bytes on both sides: a guest and a call in our own process leave the same traces.
//
// Read next: Sources/Rig/HostRun.swift.

import GuestMemory
import Host
import KVM
import TestSupport
import Testing

@testable import Rig

/// The guests of this repository, built or not.
private let guests = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/guests/build/exits"

@Suite(.serialized) struct HostRunTests {
    private func code(_ name: String) throws -> [UInt8] {
        try File.regular("\(guests)/\(name).bin").read(at: 0, 1 << 16)
    }

    /// The addresses that stand at the start of their own pages.
    private func touched(_ mapping: borrowing HostMapping, base: UInt64) -> [Int] {
        (0..<mapping.size / 4096).filter { mapping.load(at: $0 * 4096) == base + UInt64($0) * 4096 }
    }

    @Test func theHostTouchesEachPageOnce() throws {
        let mapping = try HostMapping(.anonymous, size: 2 << 20)
        let base = UInt64(mapping.address)
        let stamps = try HostRun(try code("touch-write")).collect(100, operand: base | 12)
        #expect(stamps.count == 100 && stamps.allSatisfy { $0.start < $0.end })
        #expect(zip(stamps, stamps.dropFirst()).allSatisfy { $0.end <= $1.start }, "in turn")
        #expect(touched(mapping, base: base) == Array(0..<100))
        #expect(mapping.residentPages() == Array(0..<100))
    }

    @Test(.requiresKVM, arguments: [12, 13]) func theGuestTouchesEachPageOnce(_ shift: Int) throws {
        let mapping = try HostMapping(.anonymous, size: 2 << 20)
        var plan = RigPlan(.ring3, code: try code("touch-write"))
        plan.slots = [
            MemorySlot(
                index: RigMap.firstSlot, guestAddress: RigMap.tested, size: UInt64(mapping.size),
                hostAddress: mapping.address)
        ]
        let rig = try Rig(try KVM(), plan)
        rig.limit(nanoseconds: 2_000_000_000)
        let pages = (0..<100).map { $0 << (shift - 12) }
        for _ in 0..<2 {  // entered again, it does the same again
            let trips = try rig.collect(100, operand: RigMap.tested | UInt64(shift)) { _, _ in false }
            #expect(trips.guest.allSatisfy { $0.start < $0.end })
            #expect(touched(mapping, base: RigMap.tested) == pages)
            #expect(mapping.residentPages() == pages)
        }
    }

    @Test func noSamplesAreNoCall() throws {
        #expect(try HostRun([0x0f, 0x0b]).collect(0, operand: 0).isEmpty)  // ud2
    }

    /// The table's entries are those of the range, small; and where memory is mapped by huge pages there is none.
    @Test(.requiresKVM) func smallPagesHaveATable() throws {
        var plan = RigPlan(.ring3, code: [])
        plan.smallPages = RigMap.tested..<RigMap.tested + (4 << 20)
        let rig = try Rig(try KVM(), plan)
        for start in [RigMap.tested, RigMap.tested + (2 << 20)] {
            let found = rig.pageTable(of: start)
            let table = try #require(found)
            for entry in [0, 511] as [UInt64] {
                let value = rig.memory.read(GuestAddress(table + entry * 8), as: UInt64.self)
                #expect(value == start + entry * 4096 | 7)
            }
        }
        let outside = [rig.pageTable(of: RigMap.tested + (4 << 20)), rig.pageTable(of: RigMap.tested - (2 << 20))]
        #expect(outside == [nil, nil])
    }
}
