// A disk that fails: what its user is told, and when; what is left after a power cut.

import Devices
import Glibc
import TestSupport
import Testing

@Suite(.requiresFuse) struct FaultyDiskTests {
    private let ones = [UInt8](repeating: 1, count: 4096)

    private func open(_ disk: FaultyDisk) throws -> BlockDevice {
        try BlockDevice(BlockOption(name: "disk", path: disk.path))
    }

    private func read(_ device: BlockDevice, _ offset: UInt64) -> BlockResult {
        withZeroedBytes(4096) { device.read(into: &$0, at: offset) }.0
    }

    private func holdsOnes(_ device: BlockDevice, _ offset: UInt64) -> Bool {
        withZeroedBytes(4096) { device.read(into: &$0, at: offset) } == (.done, ones)
    }

    @Test(arguments: [EIO, ENOSPC, EDQUOT])
    func whatFailsIsTold(error: Int32) throws {
        let disk = try FaultyDisk(size: 16384)
        let device = try open(disk)
        for operation in [FaultyDisk.Operation.read, .write] { disk.fail(operation, 8192..<8193, with: error) }
        #expect(device.write(ones.span.bytes, at: 4096) == .done && holdsOnes(device, 4096))
        #expect(device.write(ones.span.bytes, at: 8192) == .failed(errno: error))
        #expect(read(device, 8192) == .failed(errno: error))
        disk.heal()
        #expect(device.write(ones.span.bytes, at: 8192) == .done && holdsOnes(device, 8192))
        #expect(device.flush() == .done)
        let isWhole = disk.durable == disk.written
        #expect(isWhole)
    }

    /// The write is the page cache's and succeeds; the flush that must not succeed is the next, and only that.
    @Test(arguments: [EIO, ENOSPC])
    func aWriteThatFailsLaterFailsTheFlush(error: Int32) throws {
        let disk = try FaultyDisk(size: 16384, .writeBack)
        let device = try open(disk)
        disk.fail(.write, with: error)
        #expect(device.write(ones.span.bytes, at: 4096) == .done && holdsOnes(device, 4096))
        #expect(device.flush() == .failed(errno: error))
        disk.heal()
        #expect(device.write(ones.span.bytes, at: 4096) == .done && device.flush() == .done)
        let isThere = disk.durable[4096..<8192].elementsEqual(ones)
        #expect(isThere)
        disk.fail(.flush, with: error)
        #expect(device.flush() == .failed(errno: error))
    }

    /// At the end of a machine whose guest never asks.
    @Test(arguments: [EIO, ENOSPC])
    func whatIsLostWithoutAFlushIsToldAtTheEnd(error: Int32) throws {
        let disk = try FaultyDisk(size: 16384, .writeBack)
        let device = try open(disk)
        #expect(device.write(ones.span.bytes, at: 4096) == .done && device.finish() == nil)
        let isThere = disk.durable[4096..<8192].elementsEqual(ones)
        #expect(isThere)
        disk.fail(.write, with: error)
        #expect(device.write(ones.span.bytes, at: 0) == .done && device.finish() == error)
    }

    /// A flush costs milliseconds: there is none but of writes since the last, and of one that failed the guest knows.
    @Test func whatIsFlushedIsNotFlushedAgain() throws {
        let disk = try FaultyDisk(size: 16384, .writeBack)
        let device = try open(disk)
        disk.fail(.flush)
        #expect(read(device, 0) == .done && device.finish() == nil)
        disk.heal()
        #expect(device.write(ones.span.bytes, at: 0) == .done && device.flush() == .done)
        disk.fail(.flush)
        #expect(device.finish() == nil)
        #expect(device.write(ones.span.bytes, at: 0) == .done && device.flush() == .failed(errno: EIO))
        #expect(device.finish() == nil)
    }

    /// A ring's guest that ends with a flush under way has no answer.
    @Test func aFlushThatNobodyIsToldOfCounts() throws {
        let disk = try FaultyDisk(size: 16384, .writeBack)
        let device = try BlockDevice(BlockOption(name: "disk", path: disk.path), isQueued: true)
        var queue = device.takeQueue()
        disk.fail(.write)
        var isUnderWay = device.write(ones.span.bytes, at: 0) == .done && queue?.flush(token: 5) == .begun
        guard queue != nil else { return }  // no io_uring here
        var answer = queue?.take()
        while answer == nil { answer = queue?.take() }
        #expect(isUnderWay && answer?.token == 5 && answer?.result == -EIO)
        #expect(device.finish() == nil, "that one was told")
        isUnderWay = device.write(ones.span.bytes, at: 0) == .done && queue?.flush(token: 6) == .begun
        queue = nil
        #expect(isUnderWay && device.finish() == EIO)
    }

    private func answer(_ queue: BlockQueue) -> Int32 {
        while true { if let (_, result) = queue.take() { return result } }
    }

    /// The kernel tells one of two flushes of a write that failed; both promise what is lost.
    @Test func whoWaitsToFlushIsToldToo() throws {
        let disk = try FaultyDisk(size: 16384, .writeBack)
        let device = try BlockDevice(BlockOption(name: "disk", path: disk.path), isQueued: true)
        guard let queue = device.takeQueue() else { return }  // no io_uring here
        #expect(device.write(ones.span.bytes, at: 0) == .done)
        disk.fail(.write)
        disk.hold(.write)
        #expect(queue.flush(token: 1) == .begun && device.flush() == .interrupted && queue.flush(token: 2) == .busy)
        disk.release()
        #expect(answer(queue) == -EIO && device.flush() == .failed(errno: EIO) && device.flush() == .done)
        #expect(device.finish() == nil)
    }

    /// What is written while a flush is under way may be lost by its error, and is the next flush's.
    @Test func whatIsWrittenMeanwhileIsTheNextFlushes() throws {
        let disk = try FaultyDisk(size: 16384, .writeBack)
        let device = try BlockDevice(BlockOption(name: "disk", path: disk.path), isQueued: true)
        guard let queue = device.takeQueue() else { return }
        #expect(device.write(ones.span.bytes, at: 0) == .done)
        disk.fail(.write)
        disk.hold(.write)
        #expect(queue.flush(token: 1) == .begun && device.write(ones.span.bytes, at: 8192) == .done)
        disk.release()
        #expect(answer(queue) == -EIO)
        disk.heal()
        #expect(queue.flush(token: 2) == .begun && answer(queue) == -EIO)
        #expect(device.flush() == .done && device.finish() == nil)
    }

    @Test(arguments: [FaultyDisk.Caching.none, .writeBack])
    func afterAPowerCutThereIsWhatWasFlushed(caching: FaultyDisk.Caching) throws {
        let disk = try FaultyDisk(size: 16384, caching)
        let device = try open(disk)
        #expect(device.write(ones.span.bytes, at: 0) == .done && disk.durable[0] == 0)
        #expect(device.flush() == .done && disk.durable[0] == 1)
        let twos = ones.map { $0 + 1 }
        #expect(device.write(twos.span.bytes, at: 4096) == .done)
        let left = disk.cutPower()
        let isThere = left[..<4096].elementsEqual(ones)
        #expect(isThere && [0, 2].contains(left[4096]))
        #expect(device.flush() == .failed(errno: EIO) && disk.durable[4096] == 0)
    }

    /// It makes no holes: what was there stays.
    @Test func aDiscardThatItDoesNotKnowChangesNothing() throws {
        let disk = try FaultyDisk(size: 16384)
        let device = try open(disk)
        #expect(device.write(ones.span.bytes, at: 0) == .done && device.discard(at: 0, 4096) == .done)
        #expect(holdsOnes(device, 0))
    }

    /// Its process serves nobody else, and who still has the file open is told.
    @Test func aDiskEndsWithItsTest() throws {
        var disk: FaultyDisk? = try FaultyDisk(size: 16384)
        let path = try #require(disk?.path)
        let device = try open(try #require(disk))
        #expect(read(device, 0) == .done)
        disk = nil
        for _ in 0..<5000 where access(path, F_OK) == 0 { usleep(1000) }
        #expect(access(path, F_OK) != 0 && read(device, 0) != .done)
    }
}
