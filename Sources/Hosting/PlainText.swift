// What a guest wrote, made harmless for a screen that is ours: printable ASCII in lines.
//
// Escape and control sequences (ECMA-48) vanish whole, for their letters are no text; any other byte that a terminal could
// take for more than a letter is shown as "?". Read next: Channel.swift.

public struct PlainText {
    public private(set) var lines: [[UInt8]] = []
    private var line: [UInt8] = []
    private var state = State.text
    /// Where the next byte goes: a carriage return takes it back to the line's start.
    private var column = 0

    private enum State { case text, escape, sequence, string, stringEscape, skipOne }
    private static let longestLine = 1024

    public init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { take(byte) }
        if !line.isEmpty { lines.append(line) }
    }

    private mutating func take(_ byte: UInt8) {
        // A string that never ends must not swallow the rest of a log.
        if byte == 0x0a { state = .text }
        switch state {
        case .text: takeText(byte)
        case .escape: state = next(behindEscape: byte)
        case .skipOne: state = .text
        // ECMA-48, 5.4: parameters and intermediates are 0x20 to 0x3f, the final byte is 0x40 to 0x7e.
        case .sequence:
            if byte == 0x1b { state = .escape } else if !(0x20...0x3f).contains(byte) { state = .text }
        // 8.3.89 and its kin: to ST, which is ESC \; xterm's also to BEL. CAN and SUB end any.
        case .string:
            if byte == 0x1b { state = .stringEscape } else if [0x07, 0x18, 0x1a].contains(byte) { state = .text }
        case .stringEscape: state = byte == UInt8(ascii: "\\") ? .text : next(behindEscape: byte)
        }
    }

    private func next(behindEscape byte: UInt8) -> State {
        switch byte {
        case UInt8(ascii: "["): .sequence
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"): .string
        case 0x20...0x2f: .skipOne
        case 0x1b: .escape
        default: .text
        }
    }

    private mutating func takeText(_ byte: UInt8) {
        switch byte {
        case 0x0a:
            lines.append(line)
            (line, column) = ([], 0)
        case 0x0d: column = 0
        case 0x08: column = max(0, column - 1)
        case 0x09: repeat { put(0x20) } while column % 8 != 0 && column < Self.longestLine
        case 0x1b: state = .escape
        case 0x07, 0x00: break
        case 0x20...0x7e: put(byte)
        // Of a character of several bytes (UTF-8) only the first is shown.
        case 0x80...0xbf: break
        default: put(UInt8(ascii: "?"))
        }
    }

    private mutating func put(_ byte: UInt8) {
        if column >= Self.longestLine { return }
        if column < line.count { line[column] = byte } else { line.append(byte) }
        column += 1
    }

    /// With a new line behind each.
    var text: String { lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined() }
}

/// Words that are ours or a catalogue's, as a row of a screen: printable ASCII.
func asciiBytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { (0x20...0x7e).contains($0.value) ? UInt8($0.value) : UInt8(ascii: "?") }
}

/// Lines of at most `width` bytes, broken at spaces where there are any.
public func wrapped(_ line: [UInt8], width: Int) -> [[UInt8]] {
    var rest = line[...]
    var rows: [[UInt8]] = []
    while rest.count > width {
        let room = rest.prefix(width + 1)
        let space = room.lastIndex(of: 0x20) ?? room.startIndex
        let end = space > room.startIndex ? space : room.startIndex + width
        rows.append(Array(rest[..<end]))
        rest = rest[end...]
        if rest.first == 0x20 { rest = rest.dropFirst() }
    }
    return rows + [Array(rest)]
}
