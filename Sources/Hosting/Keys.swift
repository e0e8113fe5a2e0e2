// From a terminal's bytes to keys: letters, and the sequences of those keys that have no letter.
//
// What is no key of ours vanishes whole, letters and all: a guest can have a terminal send answers (its position, its title),
// and none of them may press a key. Read next: Chooser.swift.

public enum Key: Equatable, Sendable {
    case letter(UInt8)
    case control(UInt8)
    case enter, escape, backspace
    case up, down, left, right, pageUp, pageDown, home, end
}

public struct KeyReader {
    private var state = State.start

    private enum State: Equatable {
        case start, escape
        /// Behind ESC [ and ESC O: what came of it.
        case sequence([UInt8])
        case single
        /// A string of the terminal's (ECMA-48, 5.6), and whether it may end with the next byte.
        case string(count: Int, isEscaped: Bool)
    }
    private static let longestSequence = 32
    private static let longestString = 4096

    public init() {}

    /// Whether an ESC came that may be a key by itself, or the beginning of one.
    var isPending: Bool { state == .escape }

    /// Nothing came behind an ESC for a while: it is the key.
    public mutating func settle() -> [Key] {
        if !isPending { return [] }
        state = .start
        return [.escape]
    }

    public mutating func take(_ bytes: [UInt8]) -> [Key] { bytes.compactMap { take($0) } }

    private mutating func take(_ byte: UInt8) -> Key? {
        switch state {
        case .start:
            if byte == 0x1b { state = .escape } else { return plain(byte) }
        case .escape:
            state = Self.behindEscape(byte)
        case .single: state = .start
        case .sequence(let parameters):
            return sequence(parameters, byte)
        case .string(let count, let isEscaped):
            let isOver = byte == 0x07 || isEscaped && byte == UInt8(ascii: "\\") || count >= Self.longestString
            state = isOver ? .start : .string(count: count + 1, isEscaped: byte == 0x1b)
        }
        return nil
    }

    private static func behindEscape(_ byte: UInt8) -> State {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "O"): .sequence([])
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
            .string(count: 0, isEscaped: false)
        case 0x1b: .escape
        default: .start  // a letter with Alt
        }
    }

    private mutating func sequence(_ parameters: [UInt8], _ byte: UInt8) -> Key? {
        // The Linux console's function keys: ESC [ [ and a letter.
        if byte == UInt8(ascii: "["), parameters.isEmpty {
            state = .single
            return nil
        }
        if (0x20...0x3f).contains(byte), parameters.count < Self.longestSequence {
            state = .sequence(parameters + [byte])
            return nil
        }
        state = byte == 0x1b ? .escape : .start
        return Self.key(parameters, byte)
    }

    private static func key(_ parameters: [UInt8], _ final: UInt8) -> Key? {
        switch (final, String(decoding: parameters, as: UTF8.self)) {
        case (UInt8(ascii: "A"), ""): .up
        case (UInt8(ascii: "B"), ""): .down
        case (UInt8(ascii: "C"), ""): .right
        case (UInt8(ascii: "D"), ""): .left
        case (UInt8(ascii: "H"), ""), (UInt8(ascii: "~"), "1"), (UInt8(ascii: "~"), "7"): .home
        case (UInt8(ascii: "F"), ""), (UInt8(ascii: "~"), "4"), (UInt8(ascii: "~"), "8"): .end
        case (UInt8(ascii: "~"), "5"): .pageUp
        case (UInt8(ascii: "~"), "6"): .pageDown
        case (UInt8(ascii: "M"), ""): .enter  // of the keypad
        default: nil
        }
    }

    private func plain(_ byte: UInt8) -> Key? {
        switch byte {
        case 0x0d, 0x0a: .enter
        case 0x08, 0x7f: .backspace
        case ..<0x20: .control(byte)
        case 0x20...0x7e: .letter(byte)
        default: nil
        }
    }
}

/// "^]" as the byte that the key sends; nil for what is no control key that a guest can do without.
public func controlKey(_ text: String) -> UInt8? {
    let bytes = Array(text.uppercased().utf8)
    guard bytes.count == 2, bytes[0] == UInt8(ascii: "^"), (0x41...0x5f).contains(bytes[1]) else { return nil }
    let byte = bytes[1] & 0x1f
    // Not tab, enter and escape.
    return [0x09, 0x0a, 0x0d, 0x1b].contains(byte) ? nil : byte
}

/// "Ctrl-]"
func keyName(_ control: UInt8) -> String { "Ctrl-" + String(decoding: [control | 0x40], as: UTF8.self) }
