// A request as the driver has put it together: buffers to read from, then buffers to write to, each a piece of guest memory.
//
// A device may not count on how the driver cuts them (virtio 1.2, section 2.7.4.3): it takes bytes from the front, however
// many buffers they come from. Read next: VirtioDevice.swift.

import GuestMemory

/// A piece of guest memory.
struct Buffer: Equatable, Sendable {
    var address: GuestAddress
    var count: UInt64

    init(_ address: GuestAddress, _ count: UInt64) { (self.address, self.count) = (address, count) }
}

/// The buffers of one request. Only memory is in it.
struct Chain: Equatable, Sendable {
    /// Its first descriptor's number, by which it is given back.
    let head: UInt16
    private(set) var readable: [Buffer] = []
    private(set) var writable: [Buffer] = []

    init(head: UInt16) { self.head = head }

    /// False when it is not memory, or when it is to be read behind one to be written. An empty one is nothing.
    mutating func append(_ buffer: Buffer, isWritable: Bool, _ memory: borrowing GuestMemory) -> Bool {
        if buffer.count == 0 { return true }
        guard memory.contains(buffer.address, buffer.count), isWritable || writable.isEmpty else { return false }
        if isWritable { writable.append(buffer) } else { readable.append(buffer) }
        return true
    }

    var readableCount: UInt64 { readable.reduce(0) { $0 + $1.count } }
    var writableCount: UInt64 { writable.reduce(0) { $0 + $1.count } }

    /// Takes bytes from the front of what is to be read; nil when there are not enough.
    mutating func take(_ count: UInt64, _ memory: borrowing GuestMemory) -> HeaderBytes? {
        guard let pieces = Self.cut(&readable, count), let bytes = gather(pieces, memory) else { return nil }
        return HeaderBytes(bytes: bytes)
    }

    /// Forgets bytes at the front of what is to be read.
    mutating func drop(_ count: UInt64) { _ = Self.cut(&readable, count) }

    /// Cuts the last byte off what is to be written, where block requests have their status.
    mutating func takeLastWritable() -> GuestAddress? {
        guard let last = writable.popLast() else { return nil }
        if last.count > 1 { writable.append(Buffer(last.address, last.count - 1)) }
        return last.address + (last.count - 1)
    }

    /// Cuts that many bytes from the front of what is to be written; nil when there are not so many.
    mutating func takeWritable(_ count: UInt64) -> [Buffer]? { Self.cut(&writable, count) }

    private static func cut(_ buffers: inout [Buffer], _ count: UInt64) -> [Buffer]? {
        guard buffers.reduce(0, { $0 + $1.count }) >= count else { return nil }
        var (pieces, left): ([Buffer], UInt64) = ([], count)
        while left > 0 {
            let piece = Buffer(buffers[0].address, min(left, buffers[0].count))
            pieces.append(piece)
            left -= piece.count
            if piece.count == buffers[0].count {
                buffers.removeFirst()
            } else {
                buffers[0] = Buffer(piece.address + piece.count, buffers[0].count - piece.count)
            }
        }
        return pieces
    }
}

/// A request's head, little-endian (virtio 1.2, section 1.4).
struct HeaderBytes: Equatable {
    let bytes: [UInt8]

    func word(_ offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: integer(offset, 4)) }
    func long(_ offset: Int) -> UInt64 { integer(offset, 8) }

    private func integer(_ offset: Int, _ size: Int) -> UInt64 {
        bytes[offset..<offset + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// Copies the bytes of pieces out of guest memory.
func gather(_ pieces: [Buffer], _ memory: borrowing GuestMemory) -> [UInt8]? {
    var bytes: [UInt8] = []
    for piece in pieces {
        guard let part = memory.bytes(piece.address, Int(piece.count)) else { return nil }
        bytes += part
    }
    return bytes
}

/// Copies bytes into pieces that are as long together.
func scatter(_ bytes: [UInt8], into pieces: [Buffer], _ memory: borrowing GuestMemory) {
    var rest = bytes[...]
    for piece in pieces {
        memory.write(bytes: Array(rest.prefix(Int(piece.count))), at: piece.address)
        rest = rest.dropFirst(Int(piece.count))
    }
}
