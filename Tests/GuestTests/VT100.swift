// A VT100's screen, as far as the chooser uses one: what a person would see, for tests to look at.
//
// Whatever it does not know is kept in `strange`: a chooser that sends such things would not work on one.
// Read next: HostTests.swift.

struct VT100 {
    private(set) var rows = Array(repeating: Array(repeating: UInt8(ascii: " "), count: 80), count: 24)
    private(set) var strange: [String] = []
    private var row = 0
    private var column = 0
    private var pending: [UInt8]?

    /// The screen as text, without what is empty at the ends of rows.
    var lines: [String] {
        rows.map { row in
            let end = row.lastIndex { $0 != 0x20 }.map { $0 + 1 } ?? 0
            return String(decoding: row[..<end], as: UTF8.self)
        }
    }

    var text: String { lines.joined(separator: "\n") }

    mutating func take(_ bytes: [UInt8]) { for byte in bytes { take(byte) } }

    private mutating func take(_ byte: UInt8) {
        if let sequence = pending {
            pending = sequence + [byte]
            endSequence(sequence + [byte])
            return
        }
        switch byte {
        case 0x1b: pending = []
        case 0x0d: column = 0
        case 0x0a:
            if row == 23 {
                rows.removeFirst()
                rows.append(Array(repeating: 0x20, count: 80))
            } else {
                row += 1
            }
        case 0x08: column = max(0, column - 1)
        case 0x20...0x7e:
            if column == 80 { (row, column) = (min(23, row + 1), 0) }
            rows[row][column] = byte
            column += 1
        case 0x0f, 0x18: break  // shift in, cancel
        default: strange.append("byte \(byte)")
        }
    }

    /// Does what a sequence says, if it has its end.
    private mutating func endSequence(_ sequence: [UInt8]) {
        guard let first = sequence.first else { return }
        if first == UInt8(ascii: "(") {
            if sequence.count == 2 { pending = nil }
            return
        }
        guard first == UInt8(ascii: "[") else {
            pending = nil
            if ![UInt8(ascii: "\\"), UInt8(ascii: ">")].contains(first) { strange.append("escape \(first)") }
            return
        }
        guard sequence.count > 1, let final = sequence.last, (0x40...0x7e).contains(final) else { return }
        pending = nil
        let parameters = String(decoding: sequence.dropFirst().dropLast(), as: UTF8.self)
        let numbers = parameters.split(separator: ";", omittingEmptySubsequences: false).map { Int($0) ?? 1 }
        switch final {
        case UInt8(ascii: "H"):
            row = min(23, max(1, numbers.first ?? 1) - 1)
            column = numbers.count > 1 ? min(79, max(1, numbers[1]) - 1) : 0
        case UInt8(ascii: "J"): rows = Array(repeating: Array(repeating: 0x20, count: 80), count: 24)
        // Attributes, margins and modes are not shown here; what is no VT100's mode has no effect on one.
        case UInt8(ascii: "m"), UInt8(ascii: "r"), UInt8(ascii: "h"), UInt8(ascii: "l"): break
        default: strange.append("sequence \(parameters)\(Character(UnicodeScalar(final)))")
        }
    }
}
