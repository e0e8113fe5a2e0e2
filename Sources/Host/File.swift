// Files and descriptors, owned: opened with close-on-exec, closed when they go out of scope.
//
// Regular files are read with pread and never mapped, so a file that shrinks under us is a short read and not a SIGBUS.
// Read next: Thread.swift.

import CHost
import Glibc

/// An owned descriptor.
public struct File: ~Copyable, Sendable {
    public let fd: Int32

    public init(owning fd: Int32) { self.fd = fd }

    deinit { close(fd) }

    public enum Mode: Sendable { case read, create }

    /// Opens without blocking (a FIFO must not hang us) and without becoming the controlling terminal's process.
    public init(_ path: String, _ mode: Mode) throws(HostError) {
        let flags = O_NONBLOCK | O_NOCTTY | (mode == .read ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC)
        let result = unsafe path.withCString { unsafe chost_open($0, flags) }
        if result < 0 { throw HostError("open", path, errno: Int32(-result)) }
        fd = Int32(result)
    }

    /// Opens a regular file for reading; anything else is EISDIR or EINVAL.
    public static func regular(_ path: String) throws(HostError) -> File {
        let file = try File(path, .read)
        let kind = try file.status(path).st_mode & S_IFMT
        if kind == S_IFDIR { throw HostError("open", path, errno: EISDIR) }
        if kind != S_IFREG { throw HostError("open", path, errno: EINVAL) }
        return file
    }

    private func status(_ path: String) throws(HostError) -> stat {
        var status = stat()
        if unsafe fstat(fd, &status) != 0 { throw HostError("fstat", path, errno: errno) }
        return status
    }

    /// What changes when a file does.
    public func stamp() throws(HostError) -> FileStamp {
        let status = try status("")
        let time = status.st_mtim
        return FileStamp(
            size: UInt64(status.st_size), modified: UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec))
    }

    /// Bytes in a regular file.
    public func size() throws(HostError) -> UInt64 { UInt64(try status("").st_size) }

    /// Reads at most `count` bytes at `offset`: fewer at the end of the file.
    public func read(at offset: UInt64, _ count: Int) throws(HostError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            guard let start = buffer.baseAddress else { return }
            switch unsafe readFully(into: start, count, at: offset) {
            case .success(let read): filled = read
            case .failure(let error): failure = error.errno
            }
        }
        if failure != 0 { throw HostError("read", "", errno: failure) }
        return bytes
    }

    /// Reads from the start of the file until the span is full or the file ends; the bytes read.
    public func read(into span: inout MutableRawSpan) -> Result<Int, HostError> {
        unsafe span.withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return .success(0) }
            return unsafe readFully(into: start, bytes.count, at: 0)
        }
    }

    private func readFully(
        into memory: UnsafeMutableRawPointer, _ count: Int, at offset: UInt64
    ) -> Result<Int, HostError> {
        var done = 0
        while done < count {
            let read = unsafe pread(fd, memory + done, count - done, off_t(clamping: offset) + off_t(done))
            if read == 0 { break }
            if read < 0 && errno == EINTR { continue }
            if read < 0 { return .failure(HostError("read", "", errno: errno)) }
            done += read
        }
        return .success(done)
    }

    /// Writes all of it at an offset.
    public func write(_ bytes: [UInt8], at offset: UInt64) throws(HostError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe pwrite(
                    fd, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, off_t(offset) + off_t(done))
            }
            if written < 0 && errno == EINTR { continue }
            if written < 0 { throw HostError("write", "", errno: errno) }
            done += written
        }
    }

    /// Makes a sparse file as long as it shall be.
    public func truncate(_ size: UInt64) throws(HostError) {
        if ftruncate(fd, off_t(size)) != 0 { throw HostError("ftruncate", "", errno: errno) }
    }
}

/// A file's size in bytes and the time of its last change, in nanoseconds since 1970.
public struct FileStamp: Equatable, Sendable {
    public let size: UInt64
    public let modified: UInt64
    public init(size: UInt64, modified: UInt64) { (self.size, self.modified) = (size, modified) }
}

/// Text from a hostile source, on one line: control characters, and anything that hides or reorders text, as "?".
public func printable(_ text: some StringProtocol) -> String {
    String(
        String.UnicodeScalarView(
            text.unicodeScalars.map { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: "?"
                default: scalar
                }
            }))
}

/// Writes text to a descriptor; false when not all of it could be written. With `patience` (nanoseconds), only if it has
/// room within that time: for a last word that must not hold up an end.
@discardableResult
public func writeText(_ text: String, to fd: Int32 = 2, patience: UInt64? = nil) -> Bool {
    if let patience, !wait(for: WaitFor(fd, write: true), nanoseconds: patience).0 { return false }
    var text = text
    return text.withUTF8 { bytes in
        var done = 0
        while done < bytes.count, let start = bytes.baseAddress {
            let written = unsafe write(fd, start + done, bytes.count - done)
            if written < 0 && errno != EINTR { return false }
            done += max(0, written)
        }
        return true
    }
}
