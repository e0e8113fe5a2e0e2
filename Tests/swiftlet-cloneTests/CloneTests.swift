// Lines of many consoles, and the line in which a process tells its parent how its guest ended.
//
// Read next: Tests/GuestTests/CloneTests.swift, where guests write them.

import Host
import Subcommand
import Testing

@testable import swiftlet_clone

@Suite struct LineBufferTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func linesComeWholeAndWithTheirNumber() {
        var buffer = LineBuffer(7)
        #expect(text(buffer.take(Array("one\ntw".utf8))) == "[7] one\n")
        #expect(buffer.take(Array("o".utf8)).isEmpty)
        #expect(text(buffer.take(Array(" and\n\nthree\nend".utf8))) == "[7] two and\n[7] \n[7] three\n")
        #expect(text(buffer.finish()) == "[7] end\n")
        #expect(buffer.finish().isEmpty)
    }

    @Test func aLineWithoutEndIsCut() {
        var buffer = LineBuffer(0)
        let part = Array(repeating: UInt8(ascii: "x"), count: LineBuffer.longest - 1)
        #expect(buffer.take(part).isEmpty)
        #expect(buffer.take([0x78]).count == LineBuffer.longest + "[0] \n".utf8.count)
        #expect(buffer.finish().isEmpty)
    }

    @Test func bytesAreNotChanged() {
        var buffer = LineBuffer(1)
        #expect(buffer.take([0, 0xff, 0x0d, 0x0a]) == Array("[1] ".utf8) + [0, 0xff, 0x0d, 0x0a])
    }
}

@Suite struct LifeTests {
    @Test(arguments: [nil, "a word", "words \u{1b}[0m of\na guest's", String(repeating: "é", count: 1000)])
    func lineIsReadAsItWasWritten(message: String?) throws {
        let life = Life(12, .crash, 126, since: Clock.monotonic(), message)
        #expect(life.line.utf8.count <= 512 && life.line.hasSuffix("\n") && life.line.count { $0 == "\n" } == 1)
        let read = try #require(Life(line: life.line.dropLast()))
        #expect(read.index == 12 && read.end == .crash && read.status == 126 && read.nanoseconds == life.nanoseconds)
        #expect((read.message == nil) == (message == nil))
        if message == "a word" { #expect(read == life) }
    }

    @Test(arguments: ["", "1", "x exit 0 1 ", "1 other 0 1 ", "1 exit 0 -1 ", "1 exit 0 1"])
    func otherLinesAreNone(line: String) {
        #expect(Life(line: line) == nil)
    }

    @Test func statusTellsTheWorst() {
        func life(_ end: Life.End, _ status: Int32) -> Life { Life(0, end, status, since: 0, nil) }
        let good = life(.exit, 0)
        #expect(CloneCommand.status(of: [good, good], nil) == 0)
        #expect(CloneCommand.status(of: [good, life(.exit, 3)], nil) == 1)
        #expect(CloneCommand.status(of: [life(.crash, 126), life(.error, 125)], nil) == 125)
        #expect(CloneCommand.status(of: [life(.error, 125)], .signal(2)) == 130)
        #expect(CloneCommand.status(of: [good], .outputGone) == 141)
    }
}
