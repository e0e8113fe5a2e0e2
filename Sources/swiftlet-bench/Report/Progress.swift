// How far a measurement is and how long it will still take, on standard error.
//
// On a terminal one line that is rewritten, elsewhere a line every few seconds. Read next: ReportFiles.swift.

import Host
import Subcommand

struct Progress {
    private let isTerminal: Bool
    private let start: UInt64
    private var last: UInt64 = 0

    init() {
        isTerminal = Host.isTerminal(2)
        start = Clock.monotonic()
        if !isTerminal { last = start }
    }

    var seconds: Double { Double(Clock.monotonic() - start) / 1e9 }

    /// Steps done, steps in all, what comes next.
    mutating func tell(_ done: Int, _ all: Int, _ next: String) {
        let now = Clock.monotonic()
        if now - last < (isTerminal ? 200_000_000 : 5_000_000_000) { return }
        last = now
        let line = Self.line(done, all, next, seconds: seconds)
        // Carriage return, and erase to the end of the line (ECMA-48, EL).
        writeText(isTerminal ? "\r\(line.prefix(100))\u{1b}[K" : "swiftlet: bench: \(line)\n")
    }

    /// The line is gone: what follows stands where it stood.
    func finish() {
        if isTerminal, last != 0 { writeText("\r\u{1b}[K") }
    }

    static func line(_ done: Int, _ all: Int, _ next: String, seconds: Double) -> String {
        let percent = all > 0 ? done * 100 / all : 100
        // The first repeat tells too little of the rows that come.
        let left = done * 20 >= all && done > 0 ? ", \(time(seconds / Double(done) * Double(all - done))) left" : ""
        return "\(percent) %\(left): \(next)"
    }

    private static func time(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return whole < 60 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
    }
}
