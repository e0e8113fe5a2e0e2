// Reading, writing, flushing and discarding: the system calls, short transfers continued.
//
// pread and pwrite into the guest's memory itself: no copy, no buffer, no file offset that threads would share.
// Read next: BlockQueue.swift.

import CDevices
import Glibc
import Host

extension BlockDevice {
    /// Bytes that a guest's request moves at a time. Nobody can take back a read of gigabytes, and whoever stops the machine,
    /// or waits for another answer, waits for it.
    public static let piece = 1 << 20

    /// Fills the span from the disk.
    public func read(into span: inout MutableRawSpan, at offset: UInt64) -> BlockResult {
        guard contains(offset, UInt64(span.byteCount)) else { return .outOfRange }
        return unsafe span.withUnsafeMutableBytes { bytes in
            // Sound: the call gets a place and a count inside the span.
            transfer(bytes.count, offset) { done, place in
                unsafe cdevices_pread(file.fd, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, place)
            }
        }
    }

    /// Reads what the disk need not be waited for, from the span's first byte on: so many bytes, which may be none, also
    /// where the disk fails.
    public func readCached(into span: inout MutableRawSpan, at offset: UInt64) -> Int {
        guard contains(offset, UInt64(span.byteCount)) else { return 0 }
        return unsafe span.withUnsafeMutableBytes { bytes in
            // Sound: the call gets the span's start and size.
            max(0, unsafe cdevices_read_cached(file.fd, bytes.baseAddress, bytes.count, offset))
        }
    }

    /// Writes the span to the disk; it is there for good after a flush.
    public func write(_ span: RawSpan, at offset: UInt64) -> BlockResult {
        guard contains(offset, UInt64(span.byteCount)) else { return .outOfRange }
        if isReadOnly { return .readOnly }
        defer { unflushed.note() }
        return unsafe span.withUnsafeBytes { bytes in
            // Sound: the call gets a place and a count inside the span.
            transfer(bytes.count, offset) { done, place in
                unsafe cdevices_pwrite(file.fd, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, place)
            }
        }
    }

    /// Until all is moved. A disk that moves nothing (a file that somebody shortened) has failed.
    private func transfer(_ count: Int, _ offset: UInt64, _ call: (Int, UInt64) -> Int) -> BlockResult {
        var done = 0
        while done < count {
            let moved = call(done, offset + UInt64(done))
            if moved < 0 { return errno == EINTR ? .interrupted : .failed(errno: errno) }
            if moved == 0 { return .failed(errno: EIO) }
            done += moved
        }
        return .done
    }

    /// Returns when what was written before is on the disk (fdatasync(2)). The disk's size never changes, so no more is
    /// needed than the data and what finds it again. While another thread's flush is under way, `.interrupted` after a
    /// moment.
    public func flush() -> BlockResult {
        if isReadOnly { return .done }
        guard unflushed.beginFlush() else {
            _ = wait(for: WaitFor(-1), nanoseconds: 50_000)
            return .interrupted
        }
        let own = fdatasync(file.fd) == 0 ? 0 : errno
        if own == EINTR {
            unflushed.breakFlush()
            return .interrupted
        }
        let error = unflushed.endFlush(errno: own)
        return error == 0 ? .done : .failed(errno: error)
    }

    /// At the end of its machine, when no operation is under way: flushes what the guest has written and not flushed, if
    /// there is any. The error of writes that are lost without the guest's having been told.
    public func finish() -> Int32? {
        let untold = unflushed.untold
        for _ in 0..<8 where unflushed.areThere {
            if case .failed(let errno) = flush() { return untold ?? errno }
        }
        return untold ?? (unflushed.areThere ? EINTR : nil)
    }

    /// What the guest wanted of the disk has failed, or was left undone, and the guest is no more: `finish` tells.
    public func noteUntold(errno: Int32) { unflushed.noteUntold(errno: errno) }

    /// Block devices make holes of whole sectors only (fallocate(2), EINVAL). Which sizes those have, nobody needs to know here:
    /// 4096 is a multiple of every common one, and what lies partly in the range stays.
    private func punch(_ offset: UInt64, _ length: UInt64) -> Int32 {
        let error = Int32(-cdevices_punch(file.fd, offset, length))
        if error != EINVAL { return error }
        let start = (offset + 4095) & ~4095
        let end = (offset + length) & ~4095
        if start >= end { return 0 }
        let inner = Int32(-cdevices_punch(file.fd, start, end - start))
        return inner == EINVAL ? 0 : inner
    }

    /// The guest no longer needs these bytes: they read as zeros afterwards, or, where the host cannot make holes, as
    /// what they were.
    public func discard(at offset: UInt64, _ length: UInt64) -> BlockResult {
        guard contains(offset, length) else { return .outOfRange }
        if isReadOnly { return .readOnly }
        if length == 0 { return .done }
        switch punch(offset, length) {
        case 0, EOPNOTSUPP: return .done
        case EINTR: return .interrupted
        case let error: return .failed(errno: error)
        }
    }
}
