// A disk that fails on request and whose power can be cut: one file, served by this process over /dev/fuse.
//
// It holds two images: what was written, and what was written when it was last told to make it permanent (fsync(2)), the only
// thing that a disk promises. The file must be used by other threads than the one that serves it, so any thread of a test may.
// Read next: FuseServer.swift.

import Glibc
import Host
import Synchronization
import Testing

extension Trait where Self == ConditionTrait {
    /// Skips where this user cannot mount a file system of its own.
    public static var requiresFuse: Self {
        .enabled("no /dev/fuse here, or no permission to mount it") { (try? FaultyDisk(size: 512)) != nil }
    }
}

/// Gone with the test, however that ends: its mount is in no folder, only this process holds it (fsmount(2)).
public final class FaultyDisk: Sendable {
    public enum Operation: Sendable {
        case read, write, flush
    }

    public enum Caching: Sendable {
        /// Each read and write is the disk's, there and then (FOPEN_DIRECT_IO).
        case none
        /// Writes stay in the page cache until a flush, as those of a disk do: one that fails is known only then.
        case writeBack
    }

    /// For any process of this user, as long as this lives.
    public let path: String
    private let server: FuseServer
    private let state: State

    public init(size: Int, _ caching: Caching = .none) throws {
        state = State(size)
        server = try FuseServer(state, caching)
        path = "/proc/\(getpid())/fd/\(server.mount)/\(FuseServer.fileName)"
    }

    /// From now on operations that touch these bytes fail; flushes have no bytes and fail in any case.
    public func fail(_ operation: Operation, _ bytes: Range<Int> = 0..<Int.max, with error: Int32 = EIO) {
        state.contents.withLock { $0.faults.append(Fault(operation: operation, bytes: bytes, error: error)) }
    }

    public func heal() { state.contents.withLock { $0.faults = [] } }

    /// What was written to it.
    public var written: [UInt8] { state.contents.withLock { $0.written } }
    /// What it held at the last flush.
    public var durable: [UInt8] { state.contents.withLock { $0.durable } }

    /// From now on it answers nothing but errors. What is found on it later: what was flushed, and of what was written since
    /// any part, for a disk keeps its own order.
    public func cutPower() -> [UInt8] {
        state.contents.withLock { contents in
            contents.isCut = true
            var image = contents.durable
            for (offset, bytes) in contents.unflushed where Bool.random() {
                image.replaceSubrange(offset..<offset + bytes.count, with: bytes)
            }
            return image
        }
    }

    struct Fault {
        var operation: Operation
        var bytes: Range<Int>
        var error: Int32
    }

    /// What the serving thread and tests share.
    final class State: Sendable {
        let size: Int
        let contents: Mutex<Contents>

        init(_ size: Int) {
            self.size = size
            let zeros = [UInt8](repeating: 0, count: size)
            contents = Mutex(Contents(written: zeros, durable: zeros))
        }
    }

    struct Contents {
        var written: [UInt8]
        var durable: [UInt8]
        /// Since the last flush, in order.
        var unflushed: [(offset: Int, bytes: [UInt8])] = []
        var faults: [Fault] = []
        var isCut = false
    }
}

/// What the file's operations come to: nil is success, else an errno.
extension FaultyDisk.Contents {
    private func error(_ operation: FaultyDisk.Operation, _ bytes: Range<Int>) -> Int32? {
        if isCut { return EIO }
        return faults.first { $0.operation == operation && (operation == .flush || $0.bytes.overlaps(bytes)) }?.error
    }

    func read(_ offset: Int, _ count: Int, into answer: inout [UInt8]) -> Int32? {
        let bytes = min(offset, written.count)..<min(offset + count, written.count)
        if let error = error(.read, bytes) { return error }
        answer = Array(written[bytes])
        return nil
    }

    mutating func write(_ offset: Int, _ bytes: [UInt8]) -> Int32? {
        guard offset + bytes.count <= written.count else { return ENOSPC }
        if let error = error(.write, offset..<offset + bytes.count) { return error }
        written.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        unflushed.append((offset, bytes))
        return nil
    }

    mutating func flush() -> Int32? {
        if let error = error(.flush, 0..<0) { return error }
        durable = written
        unflushed = []
        return nil
    }
}
