// A guest's console cut into lines, each with the guest's number before it: so guests share one output and no line is torn.
//
// Read next: Outlet.swift.

struct LineBuffer {
    private let prefix: [UInt8]
    private var rest: [UInt8] = []

    /// What is kept of a line that does not end: it then is cut there.
    static let longest = 1 << 16

    init(_ index: Int) { prefix = Array("[\(index)] ".utf8) }

    /// The lines that are complete with these bytes.
    mutating func take(_ bytes: [UInt8]) -> [UInt8] {
        var lines: [UInt8] = []
        var bytes = bytes[...]
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            lines += prefix + rest + bytes[...end]
            rest = []
            bytes = bytes[(end + 1)...]
        }
        rest += bytes
        if rest.count >= Self.longest { lines += finish() }
        return lines
    }

    /// The last line, which has no end of its own; nothing if there is none.
    mutating func finish() -> [UInt8] {
        if rest.isEmpty { return [] }
        defer { rest = [] }
        return prefix + rest + [UInt8(ascii: "\n")]
    }
}
