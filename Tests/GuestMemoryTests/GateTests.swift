// The gate: every access to guest memory passes it, so it is compared with arithmetic that cannot overflow.
//
// Read next: GuestMemoryTests.swift.

import Testing

@testable import GuestMemory

private let low: Range<UInt64> = 0x1_0000..<0x20_0000
private let high: Range<UInt64> = 0x1_0000_0000..<0x1_0010_0000

/// What the gate must say, in 128 bits: the whole range lies in one piece of memory.
private func isMemory(_ start: UInt64, _ count: UInt64) -> Bool {
    [low, high].contains { range in
        start >= range.lowerBound && start <= range.upperBound
            && UInt128(start) + UInt128(count) <= UInt128(range.upperBound)
    }
}

/// Every number at which something begins, ends or wraps, and its neighbours.
private let edges: [UInt64] = {
    let places: [UInt64] = [
        0, 8, 4096, low.lowerBound, low.upperBound, high.lowerBound, high.upperBound,
        low.upperBound - low.lowerBound, high.upperBound - high.lowerBound, high.upperBound - low.lowerBound,
        UInt64.max &- low.lowerBound, UInt64.max &- low.upperBound, UInt64.max &- high.upperBound,
        1 << 31, 1 << 32, 1 << 47, 1 << 63, .max,
    ]
    return Set(places.flatMap { [$0, $0 &- 1, $0 &+ 1, $0 &- 2, $0 &+ 2, $0 &- 8, $0 &- 4096] }).sorted()
}()

@Suite struct GateTests {
    @Test func everyEdgeWithEveryCount() throws {
        let memory = try GuestMemory(low: low, high: high)
        for start in edges {
            for count in edges {
                let isOpen = memory.contains(GuestAddress(start), count)
                // A count of zero at an end is decided by whichever range the start falls to: either answer is safe.
                if count == 0, start == low.upperBound { continue }
                #expect(isOpen == isMemory(start, count), "\(start) \(count)")
            }
        }
    }

    @Test func pointerIsBasePlusAddress() throws {
        let memory = try GuestMemory(low: low, high: high)
        for start in edges where isMemory(start, 1) {
            let pointer = memory.pointer(GuestAddress(start), 1)
            #expect(UInt(bitPattern: pointer) == memory.hostBase + UInt(start))
        }
    }

    @Test func machineWithoutHighMemoryEndsAtItsEnd() throws {
        let memory = try GuestMemory(low: low)
        #expect(memory.contains(GuestAddress(low.upperBound - 1), 1) == true)
        for start in edges where start >= low.upperBound {
            #expect(memory.contains(GuestAddress(start), 1) == false)
            #expect(memory.contains(GuestAddress(start), .max) == false)
        }
    }

    @Test func nothingReachesFromLowToHighMemory() throws {
        let memory = try GuestMemory(low: low, high: high)
        #expect(memory.contains(GuestAddress(low.lowerBound), high.upperBound - low.lowerBound) == false)
        #expect(memory.contains(GuestAddress(low.upperBound - 1), 2) == false)
        #expect(memory.contains(GuestAddress(high.lowerBound - 1), 2) == false)
    }

    @Test func refusedAccessesDoNothing() throws {
        let memory = try GuestMemory(low: low, high: high)
        for address in [0, low.lowerBound - 4, low.upperBound - 4, high.lowerBound - 4, high.upperBound - 4, .max] {
            let place = GuestAddress(address)
            #expect(memory.read(place, as: UInt64.self) == nil)
            #expect(memory.write(UInt64.max, at: place) == false)
            #expect(memory.bytes(place, 8) == nil)
            #expect(memory.write(bytes: [UInt8](repeating: 1, count: 8), at: place) == false)
            #expect(memory.withSpan(place, 8) { $0.byteCount } == nil)
            #expect(memory.withMutableSpan(place, 8) { $0.byteCount } == nil)
        }
        #expect(memory.read(GuestAddress(low.upperBound - 4), as: UInt32.self) == 0, "not even the part that is memory")
        #expect(memory.read(GuestAddress(high.upperBound - 4), as: UInt32.self) == 0)
    }

    @Test func machinePagesHaveTheirOwnGate() throws {
        let memory = try GuestMemory(low: low)
        #expect(memory.machinePointer(0x1000, 0x6000) != nil)
        #expect(memory.machinePointer(low.upperBound, 0) != nil)
        #expect(memory.machinePointer(low.upperBound - 7, 8) == nil)
        #expect(memory.machinePointer(low.upperBound + 1, 0) == nil)
        #expect(memory.machinePointer(8, .max - 4) == nil)
        #expect(memory.machinePointer(.max, 2) == nil)
        memory.writeMachine(UInt64(0x1234), at: 0x1000)
        #expect(memory.machinePointer(0x1000, 8)?.load(as: UInt64.self) == 0x1234)
        #expect(memory.read(GuestAddress(0x1000), as: UInt64.self) == nil, "the machine's pages are not the guest's")
        memory.writeMachine(UInt64.max, at: low.upperBound - 4)
        #expect(memory.read(GuestAddress(low.upperBound - 4), as: UInt32.self) == 0)
    }
}

@Suite struct GrowingGateTests {
    /// The gate opens as far as memory has grown, and no further; what lay behind it was zero.
    @Test func theGateOpensBehindMemory() throws {
        let start: UInt64 = 1 << 32
        let memory = try GuestMemory(low: 0x1_0000..<2 << 20, high: start..<start, limit: start + 4 << 20)
        #expect(memory.span == start + 4 << 20)
        #expect(memory.contains(GuestAddress(start), 1) == false)
        for end in [start + 4096, start + 2 << 20, start + 4 << 20] {
            memory.grow(to: end)
            #expect(memory.high == start..<end)
            #expect(memory.contains(GuestAddress(start), end - start) == true)
            #expect(memory.contains(GuestAddress(start), end - start + 1) == false)
            #expect(memory.contains(GuestAddress(end - 1), 2) == false)
            #expect(memory.contains(GuestAddress(end - 8), .max) == false)
            #expect(memory.read(GuestAddress(end - 8), as: UInt64.self) == 0)
        }
        #expect(memory.contains(GuestAddress(2 << 20), 1) == false, "the hole stays one")
    }
}
