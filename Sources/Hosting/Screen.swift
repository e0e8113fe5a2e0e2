// A screen of letters, and the bytes that make a terminal show it: only what has changed, in what a VT100 understands.
//
// Cursor position, erase in display and the attributes bold and reverse (VT100 User Guide, chapter 3) are all that is used,
// and no more than printable ASCII is ever put on it. Read next: Keys.swift.

struct Screen {
    let rows: Int
    let columns: Int
    /// Where the cursor rests when all is drawn: a VT100's cannot be hidden.
    var cursor = (row: 0, column: 0)
    private var cells: [Cell]
    /// What the terminal shows; nil when nobody knows.
    private var shown: [Cell]?

    enum Style: UInt8 { case plain = 0, bold = 1, reverse = 7 }

    private struct Cell: Equatable {
        var letter: UInt8 = 0x20
        var style = Style.plain
    }

    /// Smaller than 2 by 20 is not drawn any smaller.
    init(rows: Int, columns: Int) {
        (self.rows, self.columns) = (max(2, min(rows, 500)), max(20, min(columns, 500)))
        cells = Array(repeating: Cell(), count: self.rows * self.columns)
    }

    mutating func clear() { for index in cells.indices { cells[index] = Cell() } }

    /// What lies beyond the screen is cut. `fills`: the style goes on to the row's end.
    mutating func put(
        _ letters: [UInt8], row: Int, column: Int = 0, _ style: Style = .plain, fills: Bool = false
    ) {
        guard (0..<rows).contains(row), column >= 0 else { return }
        for offset in 0..<(fills ? max(0, columns - column) : letters.count) where column + offset < columns {
            let letter = offset < letters.count ? letters[offset] : 0x20
            let isSafe = (0x20...0x7e).contains(letter)
            cells[row * columns + column + offset] = Cell(letter: isSafe ? letter : UInt8(ascii: "?"), style: style)
        }
    }

    mutating func put(_ text: String, row: Int, column: Int = 0, _ style: Style = .plain, fills: Bool = false) {
        put(asciiBytes(text), row: row, column: column, style, fills: fills)
    }

    /// The terminal has shown something else: next time all is drawn anew.
    mutating func forget() { shown = nil }

    /// Bytes for the terminal; none when it shows all that already.
    mutating func changes() -> [UInt8] {
        var output: [UInt8] = []
        var old = shown ?? Array(repeating: Cell(), count: cells.count)
        if shown == nil { output += Array("\u{1b}[0m\u{1b}[2J".utf8) }
        // The last cell stays empty: a letter there has some terminals scroll.
        cells[cells.count - 1] = Cell()
        var style = Style.plain
        var position: Int?
        for index in cells.indices where cells[index] != old[index] {
            if position != index { output += Self.move(index / columns, index % columns) }
            if cells[index].style != style {
                style = cells[index].style
                output += Array((style == .plain ? "\u{1b}[0m" : "\u{1b}[0;\(style.rawValue)m").utf8)
            }
            output.append(cells[index].letter)
            // At the end of a row a cursor does not move on as on another terminal it does.
            position = index % columns == columns - 1 ? nil : index + 1
        }
        old = cells
        shown = old
        if output.isEmpty { return [] }
        if style != .plain { output += Array("\u{1b}[0m".utf8) }
        return output + Self.move(cursor.row, cursor.column)
    }

    private static func move(_ row: Int, _ column: Int) -> [UInt8] { Array("\u{1b}[\(row + 1);\(column + 1)H".utf8) }
}

/// What undoes whatever a guest may have made of a terminal, and clears it: a VT100 ignores what it does not know of this.
let terminalReset: [UInt8] = Array(
    // An unfinished sequence is cancelled, a string ended; ASCII letters; no margins, no attributes; the cursor as it was
    // made to be; then the private modes of xterm and its kin: alternate screen, mouse, paste.
    ("\u{18}\u{1b}\\\u{1b}(B\u{0f}\u{1b}[r\u{1b}[0m\u{1b}[4l\u{1b}[?7h\u{1b}[?6l\u{1b}[?1l\u{1b}>\u{1b}[?5l"
        + "\u{1b}[?1049l\u{1b}[?1000l\u{1b}[?1002l\u{1b}[?1003l\u{1b}[?1006l\u{1b}[?2004l\u{1b}[?25h"
        + "\u{1b}[2J\u{1b}[H").utf8)
