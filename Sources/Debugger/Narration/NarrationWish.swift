// What `--step`, `--step-from` and `--slow` ask for.
//
// Read next: Narrator.swift.

public struct NarrationWish: Sendable, Equatable {
    /// Each instruction is a line.
    public var steps = false { didSet { isThere = true } }
    /// So many of them; nil for all.
    public var limit: UInt64? { didSet { isThere = true } }
    /// The symbol or address that the first of them is at; nil for the entry.
    public var start: String? { didSet { isThere = true } }
    /// Milliseconds between two lines: slow motion.
    public var pause: UInt64? { didSet { isThere = true } }

    public init() {}

    /// Anything at all. Stored, for every start asks, and to look at optional text costs it 8 us.
    public private(set) var isThere = false
}
