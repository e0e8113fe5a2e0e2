// Swiftlet at a terminal: Ctrl-C stops it when cooked and goes to the guest when raw; the terminal is sane afterwards.
//
// Read next: Sources/Host/Terminal.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

private let ctrlA = "\u{1}"
private let ctrlC = "\u{3}"

extension GuestTests {
    @Suite(.requiresKVM) struct Terminal {
        @Test func cookedLinesReachTheGuest() throws {
            let terminal = try PseudoTerminal()
            var child = try terminal.run([House.image("echo")])
            terminal.type("typed\n")
            #expect(terminal.shows("typed\r\ntyped\r\n"))  // the terminal's echo, then the guest's
            terminal.type("\u{4}")  // Ctrl-D
            #expect(child.finish().how == .exited(0))
        }

        @Test(arguments: ["echo", "spin"])
        func ctrlCStopsTheMachine(guest: String) throws {
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            var child = try terminal.run([House.image(guest)])
            usleep(200_000)
            terminal.type(ctrlC)
            #expect(child.finish().how == .exited(128 + SIGINT))
            #expect(terminal.settings == before)
        }

        @Test func rawKeysReachTheGuestAndCtrlAXLeaves() throws {
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            var child = try terminal.run(["--raw", House.image("echo")])
            terminal.waitUntilRaw()
            terminal.type("a" + ctrlC + "b")
            #expect(terminal.shows("a" + ctrlC + "b"))
            terminal.type(ctrlA + "ac")
            #expect(terminal.shows(ctrlA + "c"))
            terminal.type(ctrlA + "x")
            #expect(child.finish().how == .exited(128 + SIGINT))
            #expect(terminal.settings == before)
        }

        @Test func ctrlAXLeavesWhileNobodyReads() throws {
            let terminal = try PseudoTerminal()
            var child = try terminal.run(["--raw", House.image("spin")])
            usleep(200_000)
            terminal.type("keys that nobody reads" + ctrlA + "x")
            #expect(child.finish().how == .exited(128 + SIGINT))
        }

        @Test func hangingUpStopsTheMachine() throws {
            let terminal = try PseudoTerminal()
            var child = try terminal.run(["--raw", House.image("spin")])
            usleep(200_000)
            terminal.hangUp()
            #expect(child.finish().how == .exited(128 + SIGHUP))
        }

        @Test(arguments: [
            End(what: "the guest exits", arguments: [House.image("hello")], status: 0),
            End(what: "the guest crashes", arguments: [House.image("fault-null")], status: 126),
            End(what: "the time is over", arguments: ["--timeout", "0.3", House.image("spin")], status: 124),
            End(what: "the image is bad", arguments: ["/dev/null"], status: 125),
            End(what: "SIGTERM", arguments: [House.image("spin")], signal: SIGTERM, status: 128 + SIGTERM),
            End(what: "SIGINT", arguments: [House.image("spin")], signal: SIGINT, status: 128 + SIGINT),
            End(what: "SIGHUP", arguments: [House.image("sleep"), "60000"], signal: SIGHUP, status: 128 + SIGHUP),
        ])
        func isSaneAfterwards(end: End) throws {
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            var child = try terminal.run(["--raw"] + end.arguments)
            if let signal = end.signal {
                terminal.waitUntilRaw()
                child.send(signal)
            }
            let ending = child.finish()
            #expect(ending.how == .exited(end.status), "\(ending.errorText)")
            #expect(terminal.settings == before)
        }
    }

    /// One kind of end of a machine whose terminal is raw.
    struct End: CustomTestStringConvertible {
        let what: String
        let arguments: [String]
        var signal: Int32?
        let status: Int32

        var testDescription: String { what }
    }
}
