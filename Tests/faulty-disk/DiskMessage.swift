// What a test tells the process of its faulty disk, and how that answers: an order of five words, an answer of some bytes.
//
// Read next: DiskContents.swift.

import Glibc

package enum DiskOperation: Int, Sendable {
    case read, write, flush
}

package enum DiskCaching: Int, Sendable {
    /// Each read and write is the disk's, there and then (FOPEN_DIRECT_IO).
    case none
    /// Writes stay in the page cache until a flush, as those of a disk do: one that fails is known only then.
    case writeBack
}

package enum DiskOrder: Int, Sendable {
    case fail, heal, hold, release, waiting, written, durable, cutPower
}

package struct DiskMessage: Sendable {
    package var order: DiskOrder
    package var operation: DiskOperation
    package var bytes: Range<Int>
    package var error: Int32

    package init(_ order: DiskOrder, _ operation: DiskOperation = .read, _ bytes: Range<Int> = 0..<0, error: Int32 = 0)
    {
        (self.order, self.operation, self.bytes, self.error) = (order, operation, bytes, error)
    }

    package func send(to fd: Int32) -> Bool {
        let words = [order.rawValue, operation.rawValue, bytes.lowerBound, bytes.upperBound, Int(error)]
        return writeWhole(asBytes(words), to: fd)
    }

    /// The next one; nil when nobody sends any more.
    init?(from fd: Int32) {
        guard let bytes = readWhole(40, from: fd) else { return nil }
        let words = asWords(bytes)
        guard let order = DiskOrder(rawValue: words[0]), let operation = DiskOperation(rawValue: words[1]) else {
            return nil
        }
        self.init(order, operation, words[2]..<words[3], error: Int32(words[4]))
    }
}

/// An answer: how many bytes, then they.
func answer(_ bytes: [UInt8], to fd: Int32) -> Bool {
    writeWhole(asBytes([bytes.count]) + bytes, to: fd)
}

/// Nil when the disk's process is gone.
package func readAnswer(from fd: Int32) -> [UInt8]? {
    readWhole(8, from: fd).flatMap { readWhole(asWords($0)[0], from: fd) }
}

func asBytes(_ words: [Int]) -> [UInt8] { words.withUnsafeBytes { Array($0) } }

package func asWords(_ bytes: [UInt8]) -> [Int] {
    bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: Int.self) }
    }
}

private func readWhole(_ count: Int, from fd: Int32) -> [UInt8]? {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: min(count, 1 << 16))
    while bytes.count < count {
        let moved = read(fd, &piece, min(piece.count, count - bytes.count))
        if moved < 0, errno == EINTR { continue }
        if moved <= 0 { return nil }
        bytes += piece[..<moved]
    }
    return bytes
}

private func writeWhole(_ bytes: [UInt8], to fd: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let moved = rest.withUnsafeBytes { write(fd, $0.baseAddress, $0.count) }
        if moved < 0, errno == EINTR { continue }
        if moved <= 0 { return false }
        rest = rest.dropFirst(moved)
    }
    return true
}
