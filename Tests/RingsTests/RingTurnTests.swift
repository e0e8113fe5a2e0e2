// How much one turn does: whoever stops the machine, or sleeps until an answer comes, waits for no more than that.
//
// Read next: Sources/Rings/RingServing.swift.

import CABI
import Devices
import Glibc
import GuestMemory
import Host
import Synchronization
import TestSupport
import Testing

@testable import Rings

@Suite struct RingTurnTests {
    private let folder = ScratchFolder()
    private static let pieces = 4
    private static let size = pieces * BlockDevice.piece

    /// A ring with a disk of some pieces as device 3, and memory for one buffer as large.
    private func ring() throws -> HostileRing {
        let path = try folder.file("long", [UInt8](repeating: 0xab, count: Self.size))
        let disk = try BlockDevice(BlockOption(name: "long", path: path))
        return try HostileRing(devices: [.block(disk)], end: HostileRing.buffer + UInt64(Self.size))
    }

    @Test(arguments: [SWIFTLET_BLOCK_READ, SWIFTLET_BLOCK_WRITE])
    func aLongOperationTakesATurnForEachPiece(operation: Int32) throws {
        let ring = try ring()
        ring.submit(operation, device: 3, length: UInt32(Self.size), id: 1)
        for _ in 1..<Self.pieces { #expect(ring.turn() == .busy && ring.take() == nil) }
        #expect(ring.turn() == .busy && ring.take()?.result == 0)
        let last = ring.memory.read(GuestAddress(HostileRing.buffer + UInt64(Self.size - 1)), as: UInt8.self)
        #expect(operation == SWIFTLET_BLOCK_WRITE || last == 0xab)
    }

    /// Of an operation that does not lie inside the disk nothing is done, not even the piece that does.
    @Test func nothingIsDoneOfWhatEndsBeyondTheDisk() throws {
        let ring = try ring()
        ring.submit(SWIFTLET_BLOCK_READ, device: 3, length: UInt32(Self.size), id: 1, offset: 512)
        #expect(ring.turn() == .busy && ring.take()?.result == SWIFTLET_OUT_OF_RANGE)
        #expect(ring.memory.read(GuestAddress(HostileRing.buffer), as: UInt8.self) == 0)
    }

    @Test func aTurnEndsWithAPiece() throws {
        let ring = try ring()
        for id: UInt32 in 0..<4 {
            ring.submit(SWIFTLET_BLOCK_WRITE, device: 3, length: UInt32(BlockDevice.piece / 2), id: id)
        }
        #expect(ring.turn() == .busy && ring.word(68) == 2)
        #expect(ring.turn() == .busy && ring.word(68) == 4)
    }

    @Test func whoWaitsIsToldAtOnce() throws {
        let ring = try HostileRing()
        for id: UInt32 in 0..<4 { ring.submit(SWIFTLET_BLOCK_READ, id: id) }
        #expect(ring.turn(isAwaited: true) == .busy && ring.word(68) == 1)
        #expect(ring.turn() == .busy && ring.word(68) == 4)
    }

    /// A pipe takes what fits in: what waits for its reader holds up the ring, and no turn waits with it.
    @Test func aConsoleIsWrittenAsFarAsItTakes() throws {
        let ring = try ring()
        #expect(fcntl(ring.pipe.writer, F_SETFL, O_NONBLOCK) == 0)
        ring.submit(SWIFTLET_CONSOLE_WRITE, device: 2, length: 200_000, id: 1)
        #expect(ring.turn() == .busy && ring.turn() == .idle && ring.take() == nil)
        var count = 0
        for _ in 0..<1000 where ring.word(68) == 0 {
            count += ring.pipe.readBytes().count
            _ = ring.turn()
        }
        #expect(ring.take()?.result == 0 && count + ring.pipe.readBytes().count == 200_000)
    }
}

@Suite struct RingEndTests {
    private static let submitted: UInt32 = 1000

    /// A ring with more entries than two turns do, each a while, which it is told to end before it has begun: how many it does.
    private func done(finishing: Bool) throws -> UInt32 {
        let memory = try SharedMemory()
        let count = Atomic<UInt32>(0)
        let served = try Ring(
            RingService(memory.queue(entries: 1024)) { _, _ in
                count.add(1, ordering: .relaxed)
                return .answer(.done)
            })
        memory.memory.write(Self.submitted, at: SharedMemory.ring)
        served.requestStop(finishing: finishing)
        served.adopt(try Thread { served.serve(memory.memory) { _ in } })
        served.join()
        return count.load(ordering: .relaxed)
    }

    @Test func whatIsSubmittedIsDoneWhereTheGuestEndedByItself() throws {
        #expect(try done(finishing: true) == Self.submitted)
    }

    @Test func nothingMoreIsDoneAfterAStop() throws {
        #expect(try done(finishing: false) == 0)
    }

    /// What never comes to an end is left.
    @Test func finishingEnds() throws {
        try Thread.installKick()
        let memory = try SharedMemory()
        let served = try Ring(RingService(memory.queue(entries: 8)) { _, _ in .interrupted })
        memory.memory.write(1 as UInt32, at: SharedMemory.ring)
        served.adopt(try Thread { served.serve(memory.memory) { _ in } })
        served.requestStop(finishing: true)
        served.join()
    }
}
