// How fast a narration goes, and what keys do to it: the lecturer's hand, as a value.
//
// It knows no terminal and no clock: who narrates asks it at each line how long to rest. Read next: Narration.swift.

public struct Pace: Sendable, Equatable {
    /// What a key can ask of the run, beyond its pace.
    public enum Wish: Sendable, Equatable {
        /// On at full speed, without narration.
        case leave
        case quit
    }

    /// Nanoseconds between two lines.
    public private(set) var interval: UInt64
    public private(set) var isPaused: Bool
    /// Lines that were asked for one by one, and are still to come.
    private var lines = 0

    /// Milliseconds: a minute at most. 0 stands still until a key is pressed.
    public static let range: ClosedRange<UInt64> = 0...60_000
    private static let intervals: ClosedRange<UInt64> = 1_000_000...60_000_000_000

    public init(milliseconds: UInt64) {
        isPaused = milliseconds == 0
        interval = isPaused ? 500_000_000 : milliseconds * 1_000_000
    }

    public static let keys =
        "Space: stand still or go on; Enter: one line; + faster; - slower; g: on at full speed; q: stop"

    /// Other keys than these mean nothing.
    public mutating func take(_ key: UInt8) -> Wish? {
        switch key {
        case UInt8(ascii: " "): (isPaused, lines) = (!isPaused, 0)
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            lines = isPaused ? lines + 1 : 0
            isPaused = true
        case UInt8(ascii: "+"): interval = max(interval / 2, Self.intervals.lowerBound)
        case UInt8(ascii: "-"): interval = min(interval * 2, Self.intervals.upperBound)
        case UInt8(ascii: "g"): return .leave
        case UInt8(ascii: "q"): return .quit
        default: break
        }
        return nil
    }

    /// Whether the narration may go on to its next line: while it stands still, by an Enter, which is used up.
    public mutating func goesOn() -> Bool {
        if !isPaused { return true }
        if lines == 0 { return false }
        lines -= 1
        return true
    }
}
