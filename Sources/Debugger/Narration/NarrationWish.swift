// What `--step`, `--step-from` and `--slow` ask for.
//
// Read next: Narrator.swift.

public struct NarrationWish: Sendable, Equatable {
    /// Each instruction is a line.
    public var steps = false
    /// So many of them; nil for all.
    public var limit: UInt64?
    /// The symbol or address that the first of them is at; nil for the entry.
    public var start: String?
    /// Milliseconds between two lines: slow motion.
    public var pause: UInt64?

    public init() {}

    /// Anything at all.
    public var isThere: Bool { self != NarrationWish() }
}
