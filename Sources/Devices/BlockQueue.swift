// A disk's io_uring: operations that the disk must be waited for, many under way at once, from one thread.
//
// What is in the page cache needs none (docs/devices.md has the figures), so only what would wait comes here. It is made before
// the sandbox, which forbids making one, and restricted to reads and fdatasync(2) when it is made: these two a process in the
// sandbox may do by system call as well, so the queue, which no filter sees, is no way out of it. Where the host has no
// io_uring, or forbids it (kernel.io_uring_disabled, a container's filter), there is none. Read next: NetDevice.swift.

import CDevices
import Glibc
import Host

/// Taken from its disk by the one who uses it, on one thread at a time. When it goes, it waits for what is under way.
@safe public final class BlockQueue: @unchecked Sendable {
    private var uring = unsafe cdevices_uring()
    private let disk: Int32
    private let unflushed: UnflushedWrites
    public private(set) var underWay = 0

    /// Operations under way at once; the kernel has room for twice as many answers, so none can be lost.
    public static let depth = 128
    /// In a token as the kernel knows it: it is a flush's.
    private static let flushBit: UInt64 = 1 << 63

    /// Nil where there can be none. The descriptor is the disk's and must outlive the queue. It is not registered with the
    /// io_uring: that would keep the file open, and so locked, for some time after this process's end.
    init?(_ disk: Int32, _ unflushed: UnflushedWrites) {
        if unsafe cdevices_uring_open(disk, UInt32(Self.depth), &uring) < 0 { return nil }
        (self.disk, self.unflushed) = (disk, unflushed)
    }

    deinit {
        while underWay > 0 {
            guard let (token, result) = next() else {
                unsafe cdevices_uring_wait(&uring)
                continue
            }
            let isFailedFlush = token & Self.flushBit != 0 && result < 0 && !Self.isUnfinished(result)
            if isFailedFlush { unflushed.noteUntold(errno: -result) }
        }
        unsafe cdevices_uring_close(&uring)
    }

    /// Readable when there is an answer: for poll(2).
    public var fd: Int32 { unsafe uring.fd }

    public var isFull: Bool { underWay >= Self.depth }

    /// Starts to fill the span, of which at most BlockDevice.piece bytes count; false when the kernel cannot. The memory must stay
    /// until the answer is taken.
    public func read(into span: inout MutableRawSpan, at offset: UInt64, token: Int) -> Bool {
        let count = UInt32(min(span.byteCount, BlockDevice.piece))
        // Sound: the kernel writes inside the span, and the caller keeps that.
        let result = unsafe span.withUnsafeMutableBytes { bytes in
            unsafe cdevices_uring_read(&uring, disk, bytes.baseAddress, count, offset, UInt64(token))
        }
        return isUnderWay(result)
    }

    /// Starts to make permanent what has been written: the same as BlockDevice.flush, errors of earlier writes included.
    /// `busy` while another flush of the disk is under way, of whomever.
    public func flush(token: Int) -> FlushStart {
        guard unflushed.beginFlush() else { return .busy }
        if isUnderWay(unsafe cdevices_uring_flush(&uring, disk, UInt64(token) | Self.flushBit)) { return .begun }
        unflushed.breakFlush()
        return .impossible
    }

    public enum FlushStart: Sendable { case begun, busy, impossible }

    private func isUnderWay(_ result: Int) -> Bool {
        if result == 0 { underWay += 1 }
        return result == 0
    }

    /// The next answer, with its operation's token: bytes that were read, 0 of a flush, or -errno.
    public func take() -> (token: Int, result: Int32)? {
        next().map { (Int($0.token & ~Self.flushBit), $0.result) }
    }

    private func next() -> (token: UInt64, result: Int32)? {
        var answer = cdevices_answer()
        if unsafe cdevices_uring_take(&uring, &answer) == 0 { return nil }
        underWay -= 1
        return (answer.token, answer.token & Self.flushBit == 0 ? answer.result : flushed(answer.result))
    }

    private func flushed(_ result: Int32) -> Int32 {
        if Self.isUnfinished(result) {
            unflushed.breakFlush()
            return result
        }
        return -unflushed.endFlush(errno: -result)
    }

    /// Neither done nor failed: a signal came first.
    private static func isUnfinished(_ result: Int32) -> Bool { result == -EINTR || result == -ECANCELED }
}
