// A guest that has ended by itself with work in its ring: what it did not hear of is told.
//
// Read next: Sources/Rings/RingLoss.swift.

import CABI
import Devices
import Glibc
import GuestMemory
import Host
import TestSupport
import Testing

@testable import Rings

@Suite struct RingLossTests {
    @Test(.requiresFuse, arguments: [EIO, ENOSPC])
    func aWriteThatFailsIsTheDisks(error: Int32) throws {
        let faulty = try FaultyDisk(size: 16384)
        let disk = try BlockDevice(BlockOption(name: "faulty", path: faulty.path))
        let ring = try HostileRing(devices: [.block(disk)])
        faulty.fail(.write, with: error)
        ring.submit(SWIFTLET_BLOCK_WRITE, device: 3, length: 4096)
        ring.submit(SWIFTLET_BLOCK_READ, device: 3, length: 4096)
        #expect(ring.turn() == .busy && ring.tellLosses() == nil && disk.finish() == error)
    }

    @Test(.requiresFuse) func aFailureThatTheGuestHasTakenIsItsOwn() throws {
        let faulty = try FaultyDisk(size: 16384)
        let disk = try BlockDevice(BlockOption(name: "faulty", path: faulty.path))
        let ring = try HostileRing(devices: [.block(disk)])
        faulty.fail(.write)
        ring.submit(SWIFTLET_BLOCK_WRITE, device: 3, length: 4096)
        #expect(ring.turn() == .busy && ring.take()?.result == SWIFTLET_IO_ERROR)
        ring.submit(SWIFTLET_BLOCK_READ, device: 3, length: 4096)
        #expect(ring.turn() == .busy && ring.tellLosses() == nil && disk.finish() == nil)
    }

    /// A guest's own mistakes and reads are nobody's loss; frames neither.
    @Test func mistakesAreNotTold() throws {
        let ring = try HostileRing()
        ring.submit(SWIFTLET_BLOCK_WRITE, length: 512, offset: 1 << 40)
        ring.submit(SWIFTLET_CONSOLE_WRITE, device: 2, buffer: 1 << 40)
        ring.submit(SWIFTLET_BLOCK_READ, device: 1)
        #expect(ring.turn() == .busy)
        ring.submit(SWIFTLET_BLOCK_READ)
        ring.submit(SWIFTLET_NET_SEND)
        #expect(ring.tellLosses() == nil)
    }

    @Test func whatIsLeftIsTold() throws {
        let ring = try HostileRing()
        ring.submit(SWIFTLET_BLOCK_READ)
        ring.submit(SWIFTLET_CONSOLE_WRITE, device: 2, length: 5)
        #expect(ring.tellLosses() == .deviceFailed(RingLoss.console, errno: ETIME))
        #expect(ring.tellLosses() == nil)
    }

    /// A ring with one console write in it.
    private func submitted() throws -> SharedMemory {
        let memory = try SharedMemory()
        let entry = swiftlet_ring_entry(
            operation: UInt32(SWIFTLET_CONSOLE_WRITE), device: 0, buffer: SharedMemory.ring.rawValue, length: 5,
            id: 1, offset: 0)
        memory.memory.write(entry, at: GuestAddress(SharedMemory.ring.rawValue + 128))
        return memory
    }

    private func loss(_ memory: SharedMemory, _ pipe: BlockingPipe, finishing: Bool = true) throws -> RingFailure? {
        let service = RingService(memory.queue(entries: 8), [.console(Console(input: -1, output: pipe.writer))])
        let served = try Ring(service, spin: 1000)
        memory.memory.write(UInt32(1), at: SharedMemory.ring)
        served.requestStop(finishing: finishing)
        let thread = try Thread { served.serve(memory.memory) { _ in } }
        served.adopt(thread)
        served.join()
        return served.loss
    }

    @Test func aConsoleThatNobodyReadsIsToldAtTheEnd() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = BlockingPipe()
        pipe.closeReader()
        #expect(try loss(try submitted(), pipe) == .consoleGone)
        #expect(try loss(try submitted(), pipe, finishing: false) == nil, "a stop does not wait for it")
    }

    @Test func aConsoleThatIsDoneIsNot() throws {
        #expect(try loss(try submitted(), BlockingPipe()) == nil)
    }
}
