// Reads that wait for the disk, and flushes: what is behind them goes on, and all else is as without a queue.
//
// Each test's ring has a faulty disk as device 3, whose file system asks each read of the disk itself.
// Read next: Sources/Rings/DiskWork.swift.

import CABI
import Devices
import Glibc
import GuestMemory
import Host
import TestSupport
import Testing

@testable import Rings

private let hasQueues = (try? FaultyDisk(size: 512)).flatMap { try? open($0).takeQueue() } != nil

private func open(_ disk: FaultyDisk, isQueued: Bool = true) throws -> BlockDevice {
    try BlockDevice(BlockOption(name: "slow", path: disk.path), isQueued: isQueued)
}

extension HostileRing {
    fileprivate func slow(_ operation: Int32, block: UInt64 = 0, id: UInt32, length: UInt32 = 4096) {
        let buffer = HostileRing.buffer + block * 4096
        submit(operation, device: 3, buffer: buffer, length: length, id: id, offset: block * 4096)
    }

    /// The answers that come until there are so many, or for some seconds; what stays is awaited a little.
    fileprivate func answers(_ count: Int) -> [UInt32: Int32] {
        var found: [UInt32: Int32] = [:]
        for _ in 0..<5000 where found.count < count {
            _ = turn()
            while let answer = take() { found[answer.id] = answer.result }
            if found.count < count { usleep(1000) }
        }
        return found
    }

    /// Whether no answer comes within some milliseconds.
    fileprivate var isSilent: Bool {
        for _ in 0..<20 {
            _ = turn()
            if take() != nil { return false }
            usleep(1000)
        }
        return true
    }
}

@Suite(.requiresFuse, .enabled(if: hasQueues, "no io_uring with restrictions (Linux 5.10) here, or it is forbidden"))
struct RingDiskTests {
    private let disk: FaultyDisk
    private let device: BlockDevice
    private let ring: HostileRing

    init() throws {
        disk = try FaultyDisk(size: 64 << 12)
        device = try open(disk)
        ring = try HostileRing(entries: 64, devices: [.block(device)])
    }

    @Test func aReadThatWaitsIsOvertaken() {
        disk.hold(.read, 4096..<8192)
        ring.slow(SWIFTLET_BLOCK_READ, block: 1, id: 1)
        ring.slow(SWIFTLET_BLOCK_READ, block: 2, id: 2)
        ring.slow(SWIFTLET_BLOCK_WRITE, block: 3, id: 3)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 4)
        ring.submit(SWIFTLET_BLOCK_READ, id: 5)  // of another disk
        #expect(ring.answers(4) == [2: 0, 3: 0, 4: 0, 5: 0])
        #expect(ring.isSilent)
        #expect(ring.waits.count == 1)
        disk.release()
        #expect(ring.answers(1) == [1: 0])
        #expect(ring.waits.isEmpty)
    }

    @Test func aFlushCoversWhatWasWrittenBeforeIt() {
        ring.memory.write(0x77 as UInt8, at: GuestAddress(HostileRing.buffer))
        disk.hold(.flush)
        ring.slow(SWIFTLET_BLOCK_WRITE, id: 1)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 2)
        ring.slow(SWIFTLET_BLOCK_READ, block: 1, id: 3)
        #expect(ring.answers(2) == [1: 0, 3: 0])
        #expect(ring.isSilent && disk.durable[0] == 0)
        disk.release()
        #expect(ring.answers(1) == [2: 0])
        #expect(disk.durable[0] == 0x77)
    }

    @Test func anErrorIsTheOperations() {
        disk.fail(.read, 4096..<8192)
        disk.fail(.flush, with: ENOSPC)
        ring.slow(SWIFTLET_BLOCK_READ, block: 1, id: 1)
        ring.slow(SWIFTLET_BLOCK_READ, block: 2, id: 2)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 3)
        #expect(ring.answers(3) == [1: SWIFTLET_IO_ERROR, 2: 0, 3: SWIFTLET_NO_SPACE])
    }

    /// The kernel tells one of them of a write that failed: that must be the first behind it.
    @Test func flushesAreDoneOneAfterTheOther() {
        disk.hold(.flush)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 1)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 2)
        ring.slow(SWIFTLET_BLOCK_READ, id: 3)
        #expect(ring.isSilent && disk.waiting == 1)
        disk.release()
        #expect(ring.answers(3) == [1: 0, 2: 0, 3: 0])
    }

    /// Not an error of the disk's: it is done again, and whoever turns the crank may look for a stop in between.
    @Test func whatASignalInterruptsIsDoneAgain() {
        disk.fail(.read, with: EINTR)
        disk.fail(.flush, with: EINTR)
        ring.slow(SWIFTLET_BLOCK_READ, id: 1)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 2)
        #expect(ring.isSilent && ring.turn() == .busy && ring.take() == nil)
        disk.heal()
        #expect(ring.answers(2) == [1: 0, 2: 0])
        #expect(ring.turn() == .idle)
    }

    /// A write that failed behind the page cache fails one flush, whatever its error: doing that again would hide it.
    @Test(arguments: [EAGAIN, EIO])
    func aFlushThatFailsIsNotDoneAgain(error: Int32) throws {
        let disk = try FaultyDisk(size: 64 << 12, .writeBack)
        let ring = try HostileRing(devices: [.block(try open(disk))])
        disk.fail(.write, with: error)
        ring.slow(SWIFTLET_BLOCK_WRITE, id: 1)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 2)
        #expect(ring.answers(2) == [1: 0, 2: SWIFTLET_IO_ERROR])
    }

    /// The kernel writes over the ring's words and slots while the guest says that it has submitted: its own loss.
    @Test func aReadIntoTheRingItselfHarmsNobody() {
        let ones = [UInt8](repeating: 0xff, count: 4096)
        #expect(device.write(ones.span.bytes, at: 0) == .done)
        ring.submit(SWIFTLET_BLOCK_READ, device: 3, buffer: HostileRing.ring, length: 4096, id: 1)
        var turn = ring.turn()
        for _ in 0..<5000 where turn != .ended(.broken) {
            usleep(1000)
            turn = ring.turn()
        }
        #expect(turn == .ended(.broken))
    }

    /// More than may be under way: the others are held up, and none is lost.
    @Test func aFullQueueHoldsUpTheRing() throws {
        let disk = try FaultyDisk(size: 64 << 12)
        let ring = try HostileRing(entries: 256, devices: [.block(try open(disk))])
        disk.hold(.read)
        for id: UInt32 in 0..<256 { ring.slow(SWIFTLET_BLOCK_READ, block: UInt64(id % 64), id: id) }
        #expect(ring.isSilent && ring.waits.count == 2 && ring.word(64) == UInt32(BlockQueue.depth))
        disk.release()
        #expect(ring.answers(256).values.count { $0 == 0 } == 256)
    }

    @Test func aLongReadGoesOnInPieces() throws {
        let blocks = 3 * UInt64(BlockDevice.piece) / 4096
        let disk = try FaultyDisk(size: Int(blocks) << 12)
        let device = try open(disk)
        let ring = try HostileRing(devices: [.block(device)], end: HostileRing.buffer + blocks << 12)
        let bytes = (0..<Int(blocks) << 12).map { UInt8(truncatingIfNeeded: $0 >> 12 ^ $0) }
        #expect(device.write(bytes.span.bytes, at: 0) == .done)
        ring.slow(SWIFTLET_BLOCK_READ, id: 1, length: UInt32(blocks << 12))
        #expect(ring.answers(1) == [1: 0])
        let isWhole = ring.memory.bytes(GuestAddress(HostileRing.buffer), bytes.count) == bytes
        #expect(isWhole)
    }

    /// A file that somebody shortened.
    @Test func whatMovesNothingHasFailed() throws {
        let folder = ScratchFolder()
        let path = try folder.file("short", [UInt8](repeating: 1, count: 8192))
        let ring = try HostileRing(devices: [
            .block(try BlockDevice(BlockOption(name: "short", path: path), isQueued: true))
        ])
        truncate(path, 4096)
        ring.slow(SWIFTLET_BLOCK_READ, block: 1, id: 1)
        ring.slow(SWIFTLET_BLOCK_READ, block: 0, id: 2, length: 8192)
        #expect(ring.answers(2) == [1: SWIFTLET_IO_ERROR, 2: SWIFTLET_IO_ERROR])
    }

    /// The memory's end waits for reads that are on their way into it.
    @Test func whatIsUnderWayEndsBeforeTheMemory() throws {
        var ones = [UInt8](repeating: 1, count: 4096)
        ones[0] = 2
        #expect(device.write(ones.span.bytes, at: 0) == .done)
        disk.hold(.read)
        ring.slow(SWIFTLET_BLOCK_READ, id: 1)
        while disk.waiting == 0 { _ = ring.turn() }
        let releasing = try Thread { [disk] in
            usleep(50_000)
            disk.release()
        }
        ring.letGo()
        #expect(disk.waiting == 0 && ring.memory.bytes(GuestAddress(HostileRing.buffer), 4096) == ones)
        releasing.join()
    }
}

@Suite(.requiresFuse) struct QueuelessDiskTests {
    /// A host without queues, or a disk whose queue another ring has: one operation after the other.
    @Test(arguments: [false, true])
    func withoutAQueueAnswersComeInOrder(isTaken: Bool) throws {
        let disk = try FaultyDisk(size: 64 << 12)
        let device = try open(disk, isQueued: isTaken)
        let other = isTaken ? device.takeQueue() : nil
        let ring = try HostileRing(devices: [.block(device)])
        disk.fail(.read, 4096..<8192)
        ring.slow(SWIFTLET_BLOCK_READ, block: 0, id: 1)
        ring.slow(SWIFTLET_BLOCK_READ, block: 1, id: 2)
        ring.slow(SWIFTLET_BLOCK_FLUSH, id: 3)
        #expect(ring.turn() == .busy && ring.waits.isEmpty)
        for (id, result) in [(1 as UInt32, 0 as Int32), (2, SWIFTLET_IO_ERROR), (3, 0)] {
            let answer = ring.take()
            #expect(answer?.id == id && answer?.result == result)
        }
        _ = other
    }
}
