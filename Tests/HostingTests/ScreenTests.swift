// What reaches a terminal, and what a terminal's bytes become.
//
// Read next: RequestTests.swift.

import Testing

@testable import Hosting

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct ScreenTests {
    @Test func onlyWhatHasChangedIsSent() {
        var screen = Screen(rows: 4, columns: 20)
        screen.put("one", row: 0)
        #expect(text(screen.changes()) == "\u{1b}[0m\u{1b}[2J\u{1b}[1;1Hone\u{1b}[1;1H")
        #expect(screen.changes().isEmpty)
        screen.clear()
        screen.put("onE", row: 0, .bold)
        screen.cursor = (3, 2)
        #expect(text(screen.changes()) == "\u{1b}[1;1H\u{1b}[0;1monE\u{1b}[0m\u{1b}[4;3H")
        screen.forget()
        #expect(text(screen.changes()).hasPrefix("\u{1b}[0m\u{1b}[2J"))
    }

    @Test func nothingIsPutBeyondItsEdgesNorIntoTheLastCell() {
        var screen = Screen(rows: 2, columns: 20)
        screen.put(String(repeating: "x", count: 100), row: 1)
        screen.put("y", row: 2)
        screen.put("z", row: -1)
        let sent = text(screen.changes())
        #expect(sent.filter { $0 == "x" }.count == 19)
        #expect(!sent.contains("y") && !sent.contains("z"))
    }

    @Test func noControlByteGetsOnAScreen() {
        var screen = Screen(rows: 2, columns: 20)
        screen.put([0x1b, 0x9b, 0x07, 0x41], row: 0)
        screen.put("\u{9b}e\u{301}", row: 1)
        #expect(text(screen.changes()) == "\u{1b}[0m\u{1b}[2J\u{1b}[1;1H???A\u{1b}[2;1H?e?\u{1b}[1;1H")
    }

    @Test(arguments: [
        ("a\r\nb", ["a", "b"]), ("\u{1b}[31mred\u{1b}[0m", ["red"]), ("\u{1b}]0;title\u{7}x", ["x"]),
        ("\u{1b}]0;title\u{1b}\\x", ["x"]), ("\u{1b}Pno end\nnext", ["", "next"]), ("10%\r20%", ["20%"]),
        ("ab\u{8}c", ["ac"]), ("a\tb", ["a       b"]), ("\u{1b}(Bx", ["x"]), ("\u{e9}", ["?"]), ("\u{1}", ["?"]),
        ("\u{1b}[\u{1b}[2Jx", ["x"]), ("\u{1b}[3", []),
    ])
    func aGuestsTextIsMadePlain(from: String, lines: [String]) {
        #expect(PlainText(Array(from.utf8)).lines.map { text($0) } == lines)
    }

    @Test func longLinesAreWrappedAtSpaces() {
        let rows = wrapped(Array("one two three fourfivesix".utf8), width: 8).map { text($0) }
        #expect(rows == ["one two", "three", "fourfive", "six"])
        #expect(wrapped([], width: 8) == [[]])
    }

    @Test(arguments: [
        ("q", [Key.letter(0x71)]), ("\r", [.enter]), ("\u{1b}[A\u{1b}OB", [.up, .down]), ("\u{1b}[5~", [.pageUp]),
        ("\u{1b}[1;5A", []), ("\u{1b}[?1;2c", []), ("\u{1b}[24;80R", []), ("\u{1b}]lqy\u{1b}\\", []),
        ("\u{1b}[[Aj", [.letter(0x6a)]), ("\u{3}", [.control(3)]), ("\u{7f}", [.backspace]), ("\u{e9}", []),
        ("\u{1b}y", []), ("\u{1b}P1$rqqq\u{7}k", [.letter(0x6b)]),
    ])
    func keysAreRead(from: String, keys: [Key]) {
        var reader = KeyReader()
        #expect(reader.take(Array(from.utf8)) == keys)
    }

    @Test func anEscapeAloneIsAKeyAfterAWhile() {
        var reader = KeyReader()
        #expect(reader.take([0x1b]).isEmpty && reader.isPending)
        #expect(reader.settle() == [.escape] && reader.settle().isEmpty)
    }

    @Test func aLeaveKeyIsAControlKeyThatNothingElseIs() {
        #expect(controlKey("^]") == 0x1d && controlKey("^a") == 1)
        for text in ["", "^", "a", "^[", "^M", "^I", "^J", "^1", "^]]"] { #expect(controlKey(text) == nil, "\(text)") }
    }
}
