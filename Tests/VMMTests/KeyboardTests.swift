// The keyboard under --raw: what is the guest's, what is Swiftlet's, and what happens when the terminal goes away.
//
// Read next: StopTests.swift.

import Host
import TestSupport
import Testing

@testable import VMM

private func filter(_ chunks: [String]) -> (String, Bool) {
    var filter = EscapeFilter()
    let passed = chunks.flatMap { filter.filter(Array($0.utf8)) }
    return (String(decoding: passed, as: UTF8.self), filter.wantsToLeave)
}

@Suite struct EscapeFilterTests {
    private static let cases: [(typed: [String], passed: String, leaves: Bool)] = [
        (["hello\r"], "hello\r", false),
        (["\u{3}\u{4}\u{1a}"], "\u{3}\u{4}\u{1a}", false),  // Ctrl-C, Ctrl-D and Ctrl-Z are the guest's
        (["\u{1}x"], "", true), (["\u{1}X"], "", true),
        (["\u{1}", "x"], "", true),  // typed slowly
        (["\u{1}a"], "\u{1}", false), (["\u{1}\u{1}"], "\u{1}", false),
        (["\u{1}\u{1}x"], "\u{1}x", false), (["\u{1}ax"], "\u{1}x", false),
        (["\u{1}b"], "\u{1}b", false),  // no command: both are the guest's
        (["a\u{1}xb"], "ab", true), (["\u{1}"], "", false), ([""], "", false),
        (["\u{1}\u{1}\u{1}x"], "\u{1}", true),
    ]

    @Test(arguments: cases.indices)
    func keysAreSorted(index: Int) {
        let (typed, passed, leaves) = Self.cases[index]
        #expect(filter(typed) == (passed, leaves))
    }

    @Test func everyOtherByteIsPassedOn() {
        var filter = EscapeFilter()
        let keys = (0...255).map { UInt8($0) }.filter { $0 != 1 }
        #expect(filter.filter(keys) == keys)
    }
}

@Suite struct KeyboardTests {
    /// The keyboard, and what the guest reads. A class, because #expect copies what it looks at.
    private final class Typed {
        let terminal = BlockingPipe()
        private var keyboard: Keyboard

        init() throws { keyboard = try Keyboard(terminal: terminal.reader) }

        func type(_ keys: String) -> Bool {
            terminal.write(keys)
            return keyboard.pump()
        }

        func hangUp() -> Bool {
            terminal.closeWriter()
            return keyboard.pump()
        }

        var isWatched: Bool { keyboard.keys != nil }
        var guestReads: [UInt8]? { readAvailable(keyboard.input, 100) }
    }

    @Test func keysReachTheGuest() throws {
        let typed = try Typed()
        #expect(typed.guestReads == nil)
        #expect(typed.type("ls\r") == false)
        #expect(typed.guestReads == Array("ls\r".utf8))
        #expect(typed.type("\u{1}") == false)
        #expect(typed.guestReads == nil)
        #expect(typed.type("x") == true)
        #expect(typed.isWatched)
    }

    @Test func terminalThatHangsUpIsTheEndOfInput() throws {
        let typed = try Typed()
        _ = typed.type("last")
        #expect(typed.hangUp() == false)
        #expect(!typed.isWatched, "an end that is ready for ever would keep the main thread busy")
        #expect(typed.guestReads == Array("last".utf8))
        #expect(typed.guestReads == [])
    }
}
