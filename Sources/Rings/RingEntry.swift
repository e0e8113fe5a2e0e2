// What a ring's entries say and what comes of them: values, copied out of guest memory and back into it.
//
// Read next: RingQueue.swift.

import CABI

/// An entry as it was copied out of guest memory: hostile until it is looked at.
public struct RingEntry: Equatable, Sendable {
    public var operation: Int32
    public var device: UInt32
    public var buffer: UInt64
    public var length: UInt32
    public var id: UInt32
    public var offset: UInt64

    public init(
        operation: Int32, device: UInt32, buffer: UInt64, length: UInt32, id: UInt32, offset: UInt64 = 0
    ) {
        (self.operation, self.device, self.buffer) = (operation, device, buffer)
        (self.length, self.id, self.offset) = (length, id, offset)
    }
}

/// What comes of an entry.
public struct RingAnswer: Equatable, Sendable {
    public var result: Int32
    /// Bytes of a frame.
    public var length: UInt32 = 0
    public init(_ result: Int32, length: UInt32 = 0) { (self.result, self.length) = (result, length) }
}

extension RingAnswer {
    static let done = RingAnswer(0)
    static let bad = RingAnswer(SWIFTLET_BAD_ENTRY)
}
