// What a ring's entries say, in Swiftlet's own rings and in the one that hvt's boot info offers to Solo5 unikernels.
//
// Both have the same memory layout, header and all (CABI/swiftlet_devices.h has it): Swiftlet's was made to match, so one
// engine serves both. They differ in which operations there are and which of them are answered.
// Read next: RingQueue.swift.

import CABI

/// Whose ring it is.
public enum RingFormat: Sendable {
    /// Every entry is answered; a receive waits for its frame.
    case swiftlet
    /// Sends and receives only; sends are not answered, a receive that finds no frame is, at once.
    case hvt
}

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

/// hvt's results: `ret` of a completion.
enum HVTResult {
    static let ok: Int32 = 0
    static let again: Int32 = 1
    static let invalid: Int32 = 2
}
