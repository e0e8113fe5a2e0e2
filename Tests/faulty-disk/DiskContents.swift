// What a faulty disk holds: what was written, and what was written when it was last told to make it permanent (fsync(2)), the
// only thing that a disk promises.
//
// Read next: FuseServer.swift.

import Glibc
import Synchronization

/// What the serving threads and the one that takes orders share.
final class DiskState: Sendable {
    let size: Int
    let contents: Mutex<DiskContents>

    init(_ size: Int) {
        self.size = size
        let zeros = [UInt8](repeating: 0, count: size)
        contents = Mutex(DiskContents(written: zeros, durable: zeros))
    }
}

struct DiskContents {
    var written: [UInt8]
    var durable: [UInt8]
    /// Since the last flush, in order.
    var unflushed: [(offset: Int, bytes: [UInt8])] = []
    var faults: [Fault] = []
    var isCut = false
    var held: (operation: DiskOperation, bytes: Range<Int>)?
    var waiting = 0

    struct Fault {
        var operation: DiskOperation
        var bytes: Range<Int>
        var error: Int32
    }
}

extension DiskContents {
    /// Does what a test orders; what it gets for it.
    mutating func carryOut(_ message: DiskMessage) -> [UInt8] {
        switch message.order {
        case .fail: faults.append(Fault(operation: message.operation, bytes: message.bytes, error: message.error))
        case .heal: faults = []
        case .hold: held = (message.operation, message.bytes)
        case .release: held = nil
        case .waiting: return asBytes([waiting])
        case .written: return written
        case .durable: return durable
        case .cutPower: return cutPower()
        }
        return []
    }

    /// What is found on it later: what was flushed, and of what was written since any part, for a disk keeps its own order.
    private mutating func cutPower() -> [UInt8] {
        isCut = true
        var image = durable
        for (offset, bytes) in unflushed where Bool.random() {
            image.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        return image
    }
}

/// What the file's operations come to: nil is success, else an errno.
extension DiskContents {
    private func error(_ operation: DiskOperation, _ bytes: Range<Int>) -> Int32? {
        if isCut { return EIO }
        return faults.first { $0.operation == operation && (operation == .flush || $0.bytes.overlaps(bytes)) }?.error
    }

    func holds(_ operation: DiskOperation, _ bytes: Range<Int>) -> Bool {
        held.map { $0.operation == operation && (operation == .flush || $0.bytes.overlaps(bytes)) } ?? false
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
