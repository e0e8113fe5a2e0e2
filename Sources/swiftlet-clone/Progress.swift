// How far it is, on standard error, from the second second on; a terminal's alone.
//
// Read next: Summary.swift.

import Host

struct Progress {
    private let isWanted: Bool
    private let start = Clock.monotonic()
    private var last: UInt64 = 0
    private var isShown = false

    init(isWanted: Bool) { self.isWanted = isWanted && isTerminal(2) }

    mutating func tell(ended: Int, running: Int, of all: Int) {
        guard isWanted else { return }
        let now = Clock.monotonic()
        if now - start < 1_000_000_000 || now - last < 200_000_000 { return }
        (last, isShown) = (now, true)
        // Carriage return, and erase to the end of the line (ECMA-48, EL).
        writeText("\r\(ended) of \(all) guests have ended, \(running) run\u{1b}[K", patience: 0)
    }

    /// The line is gone.
    mutating func finish() {
        if isShown { writeText("\r\u{1b}[K", patience: 0) }
        isShown = false
    }
}
