// How one guest's life went; and the line in which a process tells its parent.
//
// Read next: Fleet.swift.

import Host
import Snapshot
import VMM

struct Life: Equatable, Sendable {
    enum End: String, Sendable, Encodable {
        case exit, timeout, crash, signal, error
        /// Nobody reads its console any more.
        case consoleGone = "console-gone"
    }

    let index: Int
    let end: End
    /// As of `swiftlet run`.
    let status: Int32
    /// From its making to its end.
    let nanoseconds: UInt64
    /// Of one that did not exit: why, in a line.
    let message: String?

    var isGood: Bool { end == .exit && status == 0 }

    init(_ index: Int, _ end: End, _ status: Int32, since start: UInt64, _ message: String?) {
        self.init(index, end, status, Clock.monotonic() - start, message)
    }

    private init(_ index: Int, _ end: End, _ status: Int32, _ nanoseconds: UInt64, _ message: String?) {
        (self.index, self.end, self.status, self.nanoseconds, self.message) = (index, end, status, nanoseconds, message)
    }

    init(_ index: Int, _ answer: Answer, since start: UInt64) {
        let end = End(rawValue: answer.outcome.stop.kind) ?? .error
        self.init(index, end, answer.status, since: start, answer.message)
    }

    /// A process that left no line: it was killed.
    init(_ index: Int, _ end: ChildEnd, since start: UInt64) {
        switch end {
        case .killed(let signal):
            self.init(index, .signal, 128 + signal, since: start, "its process was ended by \(signalName(signal))")
        case .exited(let status): self.init(index, .error, 125, since: start, "its process ended with \(status)")
        case .overtime: self.init(index, .error, 125, since: start, "its process was killed")
        }
    }

    /// At most 512 bytes, which a pipe takes as a whole (PIPE_BUF, pipe(7)).
    var line: String {
        let words = String(decoding: printable(message ?? "").utf8.prefix(400), as: UTF8.self)
        return "\(index) \(end.rawValue) \(status) \(nanoseconds) \(words)\n"
    }

    /// From such a line, without its end.
    init?(line: some StringProtocol) {
        let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count == 5, let index = Int(words[0]), let end = End(rawValue: String(words[1])),
            let status = Int32(words[2]), let nanoseconds = UInt64(words[3])
        else { return nil }
        self.init(index, end, status, nanoseconds, words[4].isEmpty ? nil : String(words[4]))
    }
}
