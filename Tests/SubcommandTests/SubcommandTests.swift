// What subcommands print: columns, numbers, hostile text, JSON, help.
//
// Read next: Sources/Subcommand/Subcommand.swift.

import Host
import Testing

@testable import Subcommand

@Suite struct TableTests {
    @Test func columnsAreAsWideAsTheirWidestCell() {
        var table = Table(.left, .right, .left)
        table.add("a", "1", "x")
        table.add("bcd", "1234", "")
        #expect(table.lines() == ["  a       1  x", "  bcd  1234"])
    }

    @Test func shortRowsAndSpareCells() {
        var table = Table(.left, .left)
        table.add("alone")
        table.add("a", "b", "left out")
        #expect(table.lines(indent: 0) == ["alone", "a      b"])
        #expect(Table(.left).lines().isEmpty)
    }
}

@Suite struct PrintableTests {
    @Test(arguments: [
        ("plain text, ümlaut, 漢字", "plain text, ümlaut, 漢字"), ("\u{1b}[31mred\u{7}", "?[31mred?"),
        ("two\nlines", "two?lines"),
        ("\u{202e}reversed", "?reversed"), ("", ""),
    ])
    func nothingControlsTheTerminal(_ text: String, _ shown: String) {
        #expect(printable(text) == shown)
    }

    @Test(
        arguments: [
            (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1536 bytes"),
            (64 << 20, "64 MiB"),
            (5 << 30, "5 GiB"), (3 << 40, "3 TiB"), (.max, "18446744073709551615 bytes"),
        ] as [(UInt64, String)])
    func bytesInTheLargestWholeUnit(_ count: UInt64, _ text: String) {
        #expect(bytes(count) == text)
    }

    @Test(arguments: [
        ("The value 'x' is invalid for '--timeout <seconds>'", ": seconds above 0, such as 10 or 0.5"),
        ("The value '1T' is invalid for '--output-limit <size>'", ": bytes, or a size such as 64K or 1M"),
        ("The value 'x' is invalid for '-n <n>'", ""), ("Missing value for '--timeout <seconds>'", ""),
    ])
    func wrongQuantitiesAreToldWhatIsRight(_ message: String, _ advice: String) {
        #expect(withAdvice(message) == message + advice)
    }

    @Test func helpLooksLikeTheHouses() {
        let theirs = "OVERVIEW: What it does.\n\nUSAGE: swiftlet x [--json]\n\nOPTIONS:\n  --json  JSON.\n"
        #expect(inHouseStyle(theirs) == "What it does.\n\nUsage: swiftlet x [--json]\n\nOptions:\n  --json  JSON.\n")
        let nested =
            "OVERVIEW: All.\n\nSUBCOMMANDS:\n  a  One.\n\n  See 'swiftlet-x help <subcommand>' for detailed help.\n"
        #expect(
            inHouseStyle(nested)
                == "All.\n\nSubcommands:\n  a  One.\n\n  See 'swiftlet x help <subcommand>' for detailed help.\n")
        let script = "#!/bin/bash\nOPTIONS:\n"
        #expect(inHouseStyle(script) == script)
    }

    @Test func jsonIsSortedAndSnakeCase() throws {
        struct Value: Encodable {
            var twoWords = 1
            var also: [String: String] = ["kvm_intel.ept": "Y", "aB": "kept"]
        }
        let text = try JSON.text(Value())
        #expect(text.filter { !$0.isWhitespace } == #"{"also":{"aB":"kept","kvm_intel.ept":"Y"},"two_words":1}"#)
    }
}
