// `--step` and `--slow` with real guests: each instruction a line, in every ring, and a lecturer at a terminal.
//
// Read next: Sources/Debugger/Narration/Narrator.swift, docs/step.md.

import Foundation
import GuestCases
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Narrations {
        /// Under the title; a line that the host's ring 0 has given is left out.
        private func told(_ arguments: [String], status: Int32 = 0, prints output: String? = nil) throws -> [String] {
            var child = try House.run(arguments)
            let ending = child.finish(seconds: 60)
            #expect(ending.how == .exited(status), "\(ending.errorText.suffix(2000))")
            if let output { #expect(ending.outputText == output) }
            let lines = ending.errorText.split(separator: "\n").map(String.init)
            return lines.filter { !$0.hasPrefix("swiftlet: ring 0 is emulated") }
        }

        /// A line's symbol, without its offset.
        private func symbol(_ line: String) -> Substring {
            line.split(separator: " ").dropFirst().first?.split(separator: "+").first ?? ""
        }

        @Test func someInstructionsThenFullSpeed() throws {
            let lines = try told(["--step=3", House.image("hello")], prints: "Hello from ring 3!\n")
            #expect(lines.count == 5 && lines[0].hasPrefix("     #  symbol"))
            #expect(
                lines[1].hasPrefix("     1  start+0x0  ") && lines[1].contains("  31 ed  ")
                    && lines[1].contains("xor ebp, ebp"))
            #expect(lines[1].hasSuffix("eflags [IF] -> [PF ZF IF]"))
            #expect(lines[4] == "3 instructions: the guest goes on at full speed")
        }

        /// To its end, which is the guest's own; the sentence about a call stands between its OUT and what follows.
        @Test func sentencesStandBetweenTheLines() throws {
            let lines = try told(["--step", "--explain", House.image("hello")], prints: "Hello from ring 3!\n")
            let place = try #require(lines.firstIndex { $0.contains("the call 'console-write' (33)") })
            #expect(lines[place - 1].contains("out dx, eax") && symbol(lines[place - 1]) == "console_write")
            #expect(lines[place + 1].contains("KVM_RUN took"))
            #expect(lines[place + 2].contains("  ret  ") && symbol(lines[place + 2]) == "console_write")
            let exits = lines.filter { $0.hasPrefix("At ") }
            #expect(exits.count == 2, "a step's own exits are not told: \(exits)")
            #expect(lines.last == "The machine stops (exit) with status 0.")
        }

        @Test(arguments: ["main", "0x40000", "262144", "main+0", "start_c+0xb"])
        func fromAPlaceOn(place: String) throws {
            let lines = try told(
                ["--step=1", "--step-from", place, House.image("hello")], prints: "Hello from ring 3!\n")
            let name = place.hasPrefix("start") ? place : "main+0x0"
            #expect(lines.count == 3 && lines[1].hasPrefix("     1  \(name)  "), "\(lines)")
            #expect(lines[2] == "1 instruction: the guest goes on at full speed")
        }

        @Test func aPlaceThatIsNotThere() throws {
            var child = try House.run(["--step", "--step-from", "nowhere", House.image("hello")])
            #expect(child.finish().isRefusal(mentioning: "--step-from nowhere: no such symbol"))
        }

        /// Calls without --explain, and handlers, which are stepped through to their end and behind it.
        @Test func exceptionsAreEvents() throws {
            let lines = try told(["--step", House.image("exceptions")], prints: "exceptions: ok\n")
            for name in [
                "divide error (#DE, vector 0)", "invalid opcode (#UD, vector 6)", "page fault (#PF, vector 14)",
            ] {
                let place = try #require(lines.firstIndex { $0.contains("=> \(name): the guest's handler is at ") })
                #expect(symbol(lines[place + 1]) == "exception_stubs", "\(lines[place...].prefix(3))")
            }
            #expect(lines.contains { $0.hasSuffix("=> call 'handler' (40)") })
            #expect(lines.contains { $0.contains("  iretq  ") || $0.hasSuffix("  iretq") })
            #expect(lines.last == "        => call 'exit' (32)")
        }

        /// The flag of the last step lies in a frame that the guest returns by: at full speed it would be an exception.
        @Test func nothingOfAStepStaysInAHandlersFrame() throws {
            let all = try told(["--step", House.image("exceptions")])
            let inHandler = try #require(all.firstIndex { $0.contains("divide error") }) + 2
            _ = try told(["--step=\(inHandler)", House.image("exceptions")], prints: "exceptions: ok\n")
        }

        /// PUSHF in a step shows the guest its own flags.
        @Test func flagsAreTheGuestsOwn() throws {
            var plain = try House.run(["--ring", "3", House.image("hvt-log")])
            let expected = plain.finish()
            #expect(expected.how == .exited(0))
            _ = try told(["--step", "--ring", "3", House.image("hvt-log")], prints: expected.outputText)
        }

        @Test(arguments: ["0", "3"])
        func unikernelsInBothRings(ring: String) throws {
            let lines = try told(["--step", "--ring", ring, House.image("hvt-hello")], prints: "Hello from ring 0!\n")
            #expect(
                lines.contains { $0.hasSuffix("=> call 'hvt puts' (2)") } && lines.contains { symbol($0) == "hvt_main" }
            )
        }

        /// Of two bytes or of one: its end, as without anybody who tells it.
        @Test(arguments: [[], ["short"]]) func aGuestsOwnBreakpoint(arguments: [String]) throws {
            var child = try House.run(["--step", House.image("fault-breakpoint")] + arguments)
            let ending = child.finish()
            #expect(ending.how == .exited(126) && ending.outputText == "a breakpoint\n")
            #expect(ending.errorText.contains("=> a breakpoint of the guest's own: it goes on by itself\n"))
            #expect(ending.errorText.contains("crashed: breakpoint (#BP, vector 3)\n"), "\(ending.errorText)")
        }

        /// Also by an INT3 of its own, behind which it is alone.
        @Test func aUnikernelsOwnBreakpoint() throws {
            let lines = try told(
                ["--step", "--ring", "3", House.image("hvt-privileged")], prints: "hvt-privileged: ok\n")
            #expect(lines.last == "        => a breakpoint of the guest's own: it goes on by itself")
        }

        @Test func kernelsInRealModeAndProtectedMode() throws {
            let sector = try told(
                ["--step", "--boot", "boot-sector", House.image("boot-sector").replacing(".elf", with: ".bin")],
                prints: "Hello from real mode!\n")
            #expect(sector[1].contains("  0x7c00  ") && sector[1].contains("xor ax, ax"))
            #expect(sector.last?.contains("  f4 ") == true && sector.last?.hasSuffix("hlt") == true)
            let kernel = try told(["--step=2000", House.image("multiboot-hello")], status: 1)
            #expect(kernel.contains { symbol($0) == "kernel" && $0.contains("esp ") })
        }

        @Test func aCrashIsAnEventAndAReport() throws {
            let lines = try told(["--step", House.image("fault-null")], status: 126)
            let place = try #require(
                lines.firstIndex { $0.contains("=> the guest crashes: page fault (#PF, vector 14): read of 0x0") })
            #expect(lines[place - 1].contains("dword ptr [rax]"))
            #expect(lines[place + 1].hasPrefix("swiftlet: guest crashed: page fault"))
            #expect(
                lines.contains { $0.contains("rfl 0x0000000000010206") || $0.contains("rfl 0x0000000000010202") },
                "no TF")
        }

        @Test func withoutATerminalTimeGoesByItself() throws {
            var child = try House.run(["--step=6", "--slow", "50", House.image("hello")])
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.seconds > 0.29 && ending.outputText == "Hello from ring 3!\n")
            var sentences = try House.run(["--explain", "--slow", "100", House.image("hello")])
            let slow = sentences.finish()
            #expect(slow.how == .exited(0) && slow.seconds > 0.19 && slow.errorText.contains("'console-write'"))
        }

        /// Nobody reads what is told: a stop gets through.
        @Test(arguments: [[], ["--explain"], ["--slow", "1"]])
        func signalsEndANarration(options: [String]) throws {
            let words = ([House.bench.swiftlet, "run", "--step"] + options + [House.image("spin")]).joined(
                separator: " ")
            var child = try Child("/bin/sh", ["-c", "exec \(words) 2>&1"], output: .stuck)
            usleep(400_000)
            child.send(SIGTERM)
            #expect(child.finish(seconds: 10).how == .exited(128 + SIGTERM))
        }
    }

    /// The lecturer's terminal is standard error's; here it is all three.
    @Suite(.requiresKVM) struct Lecterns {
        private func start(_ terminal: PseudoTerminal, _ arguments: [String]) throws -> Child {
            let words = ([House.bench.swiftlet, "run"] + arguments).joined(separator: " ")
            return try Child(
                "/bin/sh", ["-c", "exec \(words) 2>&1"], input: .terminal(terminal.path),
                output: .terminal(terminal.path))
        }

        @Test func enterIsOneLineAndGGoesOn() throws {
            let terminal = try PseudoTerminal()
            let before = terminal.settings
            var child = try start(terminal, ["--step", "--slow", "0", House.image("echo")])
            #expect(terminal.shows("xor ebp, ebp"))
            #expect(terminal.settings != before && terminal.output(milliseconds: 300).isEmpty)
            terminal.type("\n")
            #expect(terminal.shows("eflags [IF] -> [PF ZF IF]\r\n     2  start+0x2"))
            terminal.type("\n\n")
            #expect(terminal.shows("     4  start_c+"))
            terminal.type("g")
            usleep(200_000)
            #expect(terminal.settings == before)
            terminal.type("typed\n")
            #expect(terminal.shows("typed\r\ntyped\r\n"))
            terminal.type("\u{4}")
            #expect(child.finish().how == .exited(0))
        }

        @Test func spaceStopsAndStarts() throws {
            let terminal = try PseudoTerminal()
            var child = try start(terminal, ["--step", "--slow", "20", House.image("spin")])
            #expect(terminal.shows("pause"))
            terminal.type(" ")
            usleep(100_000)
            _ = terminal.output(milliseconds: 10)
            #expect(terminal.output(milliseconds: 300).isEmpty)
            terminal.type(" ")
            #expect(terminal.shows("jmp"))
            terminal.type("q")
            #expect(child.finish().how == .exited(130))
        }

        /// Exits stop where they are told, and keys get to a guest that makes none.
        @Test func sentencesAreLedToo() throws {
            let terminal = try PseudoTerminal()
            var child = try start(terminal, ["--explain", "--slow", "0", House.image("hello")])
            #expect(terminal.shows("'console-write' (33)"))
            _ = terminal.output(milliseconds: 50)
            #expect(terminal.output(milliseconds: 300).isEmpty)
            terminal.type("\n")
            #expect(terminal.shows("'exit' (32)"))
            terminal.type("\n")
            #expect(child.finish().how == .exited(0))
            let other = try PseudoTerminal()
            var spinning = try start(other, ["--explain", "--slow", "0", House.image("spin")])
            #expect(other.shows("q: stop"))
            other.type("q")
            #expect(spinning.finish().how == .exited(130))
        }

        @Test(arguments: [["--step", "--slow", "0"], ["--step"], ["--explain", "--slow", "5"]])
        func isSaneAfterwards(options: [String]) throws {
            for signal in [nil, SIGTERM] {
                let terminal = try PseudoTerminal()
                let before = terminal.settings
                var child = try start(terminal, options + [House.image("spin")])
                #expect(terminal.shows(options.contains("--slow") ? "q: stop" : "pause"))
                usleep(100_000)
                if let signal { child.send(signal) } else { terminal.type("\u{3}") }
                while !terminal.output(milliseconds: 300).isEmpty {}
                #expect(child.finish().how == .exited(128 + (signal ?? SIGINT)))
                #expect(terminal.settings == before)
            }
        }
    }
}
