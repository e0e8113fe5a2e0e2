// A stream socket, owned: what `serve`, `host` and `--gdb` listen on and `call` connects to (unix(7)).
//
// Whoever may open a Unix socket's file may call: the mode is 0600 from the first instant. Read next: LoopbackSocket.swift.

import CHost
import Glibc

/// How sending or receiving ended.
public enum Transfer: Equatable, Sendable {
    /// Bytes moved.
    case done(Int)
    /// The other side has sent all that it will.
    case end
    /// The socket does not block, and is not ready.
    case notReady
    /// The other side is gone (EPIPE, ECONNRESET).
    case gone
    case failed(errno: Int32)

    fileprivate init(_ result: Int) {
        switch Int32(clamping: -result) {
        case ...0: self = .done(result)
        case EAGAIN, EINTR: self = .notReady
        case EPIPE, ECONNRESET: self = .gone
        case let error: self = .failed(errno: error)
        }
    }
}

public struct StreamSocket: ~Copyable, Sendable {
    private let file: File
    public var fd: Int32 { file.fd }

    /// The longest path that fits into an address, in bytes.
    public static let longestPath = 107

    /// Connected to whoever listens at `path`; it blocks.
    public init(connectingTo path: String) throws(HostError) {
        let socket = try Self.make(blocking: true)
        let fd = socket.fd
        let result = unsafe path.withCString { unsafe chost_connect(fd, $0) }
        if result < 0 { throw HostError("connect", path, errno: Int32(-result)) }
        file = socket
    }

    /// Bound to `path`, which must not exist, and listening; it does not block.
    public init(listeningAt path: String) throws(HostError) {
        let socket = try Self.make(blocking: false)
        let fd = socket.fd
        let result = unsafe path.withCString { unsafe chost_bind(fd, $0, 0o600) }
        if result < 0 { throw HostError("bind", path, errno: Int32(-result)) }
        if listen(fd, SOMAXCONN) != 0 { throw HostError("listen", path, errno: errno) }
        file = socket
    }

    init(owning fd: Int32) { file = File(owning: fd) }

    private static func make(blocking: Bool) throws(HostError) -> File {
        let result = chost_socket(blocking ? 1 : 0)
        if result < 0 { throw HostError("socket", "", errno: Int32(-result)) }
        return File(owning: Int32(result))
    }

    /// The next connection, which does not block; EAGAIN when there is none.
    public func accept() throws(HostError) -> StreamSocket {
        let result = chost_accept(fd)
        if result < 0 { throw HostError("accept", "", errno: Int32(-result)) }
        return StreamSocket(owning: Int32(result))
    }

    /// Sends all, as far as the other side takes it; for a socket that blocks.
    public func sendAll(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            switch send(bytes, from: done) {
            case .done(let count): done += count
            case .notReady: continue  // a signal
            case .end, .gone, .failed: return
            }
        }
    }

    /// Sends what lies behind the first `start` bytes, or a part of it.
    public func send(_ bytes: [UInt8], from start: Int = 0) -> Transfer {
        // Sound: the pointer and the count are those of the rest of one array.
        unsafe bytes.withUnsafeBytes { all in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: all.dropFirst(start))
            return Transfer(unsafe chost_send(fd, rest.baseAddress, rest.count))
        }
    }

    /// Appends at most `count` bytes of what has come.
    public func receive(into bytes: inout [UInt8], atMost count: Int) -> Transfer {
        var result = Transfer.end
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            result = Transfer(unsafe chost_receive(fd, buffer.baseAddress, count))
            if case .done(let received) = result { filled = received }
        }
        if result == .done(0) { return .end }
        bytes += chunk
        return result
    }

    /// Receives no more: what has come is still there, then its end (shutdown(2), SHUT_RD).
    public func endInput() { shutdown(fd, Int32(SHUT_RD)) }

    /// Neither receives nor sends any more.
    public func hangUp() { shutdown(fd, Int32(SHUT_RDWR)) }
}

/// The next connection of a listening socket, which does not block; nil when there is none.
public func acceptConnection(_ listener: Int32) -> File? {
    let result = chost_accept(listener)
    return result < 0 ? nil : File(owning: Int32(result))
}

/// A file's identity, to know it again.
public struct FileIdentity: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    public let isSocket: Bool

    /// Of what lies at `path`, no link followed; nil when nothing does.
    public init?(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        (device, inode, isSocket) = (UInt64(status.st_dev), UInt64(status.st_ino), status.st_mode & S_IFMT == S_IFSOCK)
    }
}

/// Takes a name away. False when it could not be.
@discardableResult
public func removeFile(_ path: String) -> Bool { unsafe unlink(path) == 0 }

extension File {
    /// Waits until nobody else holds the lock of this file or folder; given back when it is closed (flock(2)).
    public func lock() throws(HostError) {
        while flock(fd, LOCK_EX) != 0 {
            if errno != EINTR { throw HostError("flock", "", errno: errno) }
        }
    }
}
