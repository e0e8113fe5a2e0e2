// `swiftlet host` with real guests: what the person at a terminal sees, and that nothing is left behind.
//
// Read next: HostControlTests.swift.

import Foundation
import GuestCases
import Host
import TestSupport
import Testing

private let leaveKey = "\u{1d}"
private let down = "\u{1b}[B"

func definition(_ guest: String, _ more: String = "") -> String { "image = \"\(House.image(guest))\"\n\(more)" }

extension GuestTests {
    @Suite(.requiresKVM) struct HostAtATerminal {
        @Test func aMachineIsStartedAndItsEndIsSeen() throws {
            let rig = try HostRig([
                "hello": definition("hello", "name = \"Say hello\"\nvendor = \"Maker\"\ndescription = \"It says so.\"")
            ])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("Say hello"))
            #expect(host.text.contains("Maker") && host.text.contains("64 MiB") && host.text.contains("It says so."))
            host.type("\r")
            #expect(host.waits { _ in host.row("Say hello").hasSuffix("exited with 0") })
            host.type("l")
            #expect(host.shows("Hello from ring 3!"))
            host.type("qq")
            #expect(child.finish().how == .exited(0))
            #expect(host.strange == [])
        }

        @Test func aConsoleIsAttachedToAndLeft() throws {
            let rig = try HostRig(["echo": definition("echo")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("echo"))
            host.type("\r")
            #expect(host.waits { _ in host.row("echo").contains("running") })
            host.type("\r")
            #expect(host.shows("Ctrl-] leaves this console"))
            host.type("a word\r")
            #expect(host.shows("a word\na word"))
            host.type(leaveKey)
            #expect(host.shows("NAME"))
            #expect(host.row("echo").contains("running"))
            usleep(400_000)  // what a terminal answers to a guest's questions is no key
            host.type("s")
            #expect(host.shows("Stop echo?"))
            host.type("n")
            #expect(host.waits { !$0.contains("Stop echo?") })
            host.type("sy")
            #expect(host.waits { _ in host.row("echo").hasSuffix("stopped by SIGTERM") })
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func aMachineThatEndsWhileAttachedLeavesItsLastWords() throws {
            let rig = try HostRig(["echo": definition("echo")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("echo"))
            host.type("\r")
            #expect(host.waits { _ in host.row("echo").contains("running") })
            host.type("\r")
            #expect(host.shows("leaves this console"))
            host.type("\u{4}")  // Ctrl-D: the end of its input
            #expect(host.shows("[echo: exited with 0; any key: back to the list]"))
            host.type(" ")
            #expect(host.shows("NAME"))
            usleep(400_000)
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func anyKeyStopsACountdown() throws {
            let rig = try HostRig(["hello": definition("hello", "autostart = 30")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("hello starts in"))
            host.type("x")
            #expect(host.shows("The autostart is off"))
            #expect(host.row("hello").hasSuffix("stopped"))
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func withoutAKeyACountdownEndsInAStart() throws {
            let rig = try HostRig(["hello": definition("hello", "autostart = 1")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("hello starts in 1 s"))
            #expect(host.waits { _ in host.row("hello").hasSuffix("exited with 0") })
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func aBadEntrySaysWhyAndHurtsNoOther() throws {
            let rig = try HostRig(["bad": definition("hello", "memroy = \"64M\""), "hello": definition("hello")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("bad.toml:2:1: memroy:"))
            #expect(host.row("bad").hasSuffix("bad entry"))
            host.type("\r" + down + "\r")
            #expect(host.waits { _ in host.row("hello").hasSuffix("exited with 0") })
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func aCrashShowsItsDiagnosis() throws {
            let rig = try HostRig(["null": definition("fault-null")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("null"))
            host.type("\r")
            #expect(host.shows("page fault (#PF, vector 14)"))
            #expect(host.row("null").hasSuffix("crashed"))
            host.type("dG")
            #expect(host.shows("code at rip"))
            host.type("qq")
            #expect(child.finish().how == .exited(0))
        }

        @Test func noBytesOfAGuestReachTheChoosersScreens() throws {
            // It clears the screen, sets a title, asks for the terminal's name, and leaves a string open.
            let hostile = "\\u001b[2J\\u001b[Hspoofed\\u001b]0;title\\u0007 \\u001b[c\\u0005\\u001bPq"
            let rig = try HostRig(["args": definition("args", "arguments = [\"\(hostile)\"]")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("args"))
            host.type("\r")
            #expect(host.waits { _ in host.row("args").hasSuffix("exited with 0") })
            host.type("l")
            #expect(host.shows("spoofed"))
            #expect(host.lines[0].hasPrefix(" Log of args"))
            host.type("q")
            host.type("d")
            #expect(host.shows("Details of args"))
            host.type("qq")
            #expect(child.finish().how == .exited(0))
            #expect(host.strange == [])
        }

        @Test(arguments: [SIGTERM, SIGINT, SIGHUP])
        func theTerminalIsAsItWasAfter(signal: Int32) throws {
            let rig = try HostRig(["spin": definition("spin", "autostart = 0")])
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            let host = HostAtTerminal(terminal)
            var child = try host.start(rig)
            #expect(host.waits { _ in host.row("spin").contains("running") })
            #expect(terminal.settings != before)
            child.send(signal)
            #expect(child.finish().how == .exited(0))
            #expect(terminal.settings == before)
        }

        @Test func anotherSizeIsDrawnAtOnce() throws {
            let rig = try HostRig(["hello": definition("hello")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.waits { _ in host.lines[23].contains("Enter start/console") })
            host.resize(rows: 18, columns: 80)
            #expect(host.waits { _ in host.lines[17].contains("Enter start/console") && host.lines[23].isEmpty })
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func anAttachedConsoleHasItsTerminalsSize() throws {
            let rig = try HostRig(["echo": definition("echo")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("echo"))
            host.type("\r")
            #expect(host.waits { _ in host.row("echo").contains("running") })
            let process = try #require(try rig.report("echo")?.pid)
            let line = try openTerminal(try #require(linkTarget("/proc/\(process)/fd/0")))
            let size = { terminalSize(line.fd).map { [$0.rows, $0.columns] } }
            host.resize(rows: 20, columns: 70)
            #expect(host.waits { _ in host.lines[19].contains("Enter start/console") })
            #expect(size() == [24, 80])
            host.type("\r")
            #expect(host.shows("leaves this console"))
            #expect(size() == [20, 70])
            host.resize(rows: 22, columns: 75)
            #expect(host.waits { _ in size() == [22, 75] })
            child.send(SIGTERM)
            #expect(child.finish().how == .exited(0))
        }

        @Test func theMarkStaysOnItsMachineWhenTheCatalogueIsReadAnew() throws {
            let rig = try HostRig(["middle": definition("hello"), "zero": definition("fault-null")])
            let host = try HostAtTerminal()
            var child = try host.start(rig)
            #expect(host.shows("zero"))
            try rig.write("all-new.toml", definition("fault-null"))
            host.type("c")
            #expect(host.shows("The catalogue is read anew: 1 new, 0 changed, 0 gone."))
            #expect(host.lines[2].hasPrefix("  all-new") && host.text.contains(" middle: 1 CPU"))
            host.type("\r")
            #expect(host.waits { _ in host.row("middle").hasSuffix("exited with 0") })
            try rig.remove("middle.toml")
            host.type("c")
            #expect(host.shows("The catalogue is read anew: 0 new, 0 changed, 1 gone."))
            #expect(host.row("middle").isEmpty && host.text.contains(" zero: 1 CPU"))
            host.type("q")
            #expect(child.finish().how == .exited(0))
        }

        @Test func twoTerminalsShowTheSameMachines() throws {
            let rig = try HostRig(["echo": definition("echo")])
            let (first, second) = (try PseudoTerminal(), try PseudoTerminal())
            var child = try Child(
                House.bench.swiftlet,
                ["host", "--catalogue", rig.folder, "--terminal", first.path, "--terminal", second.path])
            let (here, there) = (HostAtTerminal(first), HostAtTerminal(second))
            #expect(here.shows("echo") && there.shows("echo"))
            here.type("\r")
            #expect(there.waits { _ in there.row("echo").contains("running") })
            here.type("\r")
            there.type("\r")
            #expect(here.shows("leaves this console") && there.shows("leaves this console"))
            here.type("from here\r")
            #expect(there.shows("from here\nfrom here"))
            child.send(SIGTERM)
            #expect(child.finish().how == .exited(0))
        }

        @Test func thePowerSwitchRunsItsProgramOnceAllHasEnded() throws {
            let rig = try HostRig(["spin": definition("spin", "autostart = 0")])
            let script = rig.folder + "/power"
            try Data("#!/bin/sh\necho \"$1\" >\(rig.folder)/asked\n".utf8).write(to: URL(fileURLWithPath: script))
            unsafe chmod(script, 0o755)
            let host = try HostAtTerminal()
            var child = try host.start(rig, ["--appliance", "--power", script])
            #expect(host.waits { _ in host.row("spin").contains("running") })
            host.type("p")
            #expect(host.shows("It ends a machine."))
            host.type("r")
            #expect(child.finish().how == .exited(0))
            #expect(try String(contentsOfFile: rig.folder + "/asked", encoding: .utf8) == "reboot\n")
        }

        /// As `systemctl stop` of the host's unit does, which is no wish for the server's end.
        @Test func aSignalEndsTheHostAndNotTheServer() throws {
            let rig = try HostRig(["spin": definition("spin", "autostart = 0")])
            let host = try HostAtTerminal()
            var child = try host.start(rig, ["--appliance", "--power", "/bin/false"])
            #expect(host.waits { _ in host.row("spin").contains("running") })
            child.send(SIGTERM)
            #expect(child.finish().how == .exited(0))
        }

        @Test func onlyProcessOneSwitchesAServerOffByItself() throws {
            let rig = try HostRig(["hello": definition("hello")])
            var child = try Child(House.bench.swiftlet, ["host", "--catalogue", rig.folder, "--appliance"])
            #expect(child.finish().isRefusal(mentioning: "--power PROGRAM"))
        }
    }
}
