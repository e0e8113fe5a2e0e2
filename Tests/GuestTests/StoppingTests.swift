// A machine stops promptly, whatever its guest does: time-out, signals, a console that is gone.
//
// Read next: TerminalTests.swift, where the signals come from a keyboard.

import Foundation
import GuestCases
import TestSupport
import Testing

/// Something that goes on until it is stopped.
struct Occupation: CustomTestStringConvertible {
    let testDescription: String
    let arguments: [String]
    var input = ChildInput.null
    var output = ChildOutput.captured

    static let spinning = Occupation(testDescription: "spins", arguments: [House.image("spin")])
    static let sleeping = Occupation(testDescription: "sleeps", arguments: [House.image("sleep"), "600000"])
    static let reading = Occupation(testDescription: "reads", arguments: [House.image("echo")], input: .open)
    static let writing = Occupation(
        testDescription: "writes to a full pipe", arguments: [House.image("echo")],
        input: .bytes([UInt8](repeating: 97, count: 60000)), output: .stuck)
    static let ringZero = Occupation(
        testDescription: "spins in ring 0", arguments: [House.image("pvh-hello"), "forever"])
    static let halted = Occupation(
        testDescription: "halts in ring 0", arguments: [House.image("pvh-hello"), "echo"], input: .open)
    static let several = Occupation(
        testDescription: "spins on four vCPUs", arguments: ["--cpus", "4", House.image("cpus"), "spin"])
    static let severalInRingZero = Occupation(
        testDescription: "spins on one CPU of two",
        arguments: ["--cpus", "2", House.image("smp-hello"), "spin", "halt", "2"])
    static let all = [spinning, sleeping, reading, writing, ringZero, halted, several, severalInRingZero]

    /// Starts it and gives it time to get there.
    func start(_ options: [String] = []) throws -> Child {
        let child = try House.run(options + arguments, input: input, output: output)
        usleep(200_000)
        return child
    }
}

/// How long a stop may take after it was asked for, in seconds: far more than it does, for a host that is busy, and far
/// less than what it ends.
private let promptly = 10.0

extension GuestTests {
    @Suite(.requiresKVM) struct Stopping {
        @Test(arguments: Occupation.all)
        func atTheTimeout(of occupation: Occupation) throws {
            var child = try occupation.start(["--timeout", "0.4"])
            let ending = child.finish()
            #expect(ending.how == .exited(124), "\(ending.errorText)")
            #expect(ending.errorText.contains("--timeout"))
            #expect(0.4...(0.4 + promptly) ~= ending.seconds)
        }

        @Test(arguments: Occupation.all, [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
        func atASignal(while occupation: Occupation, signal: Int32) throws {
            var child = try occupation.start()
            child.send(signal)
            let ending = child.finish()
            #expect(ending.how == .exited(128 + signal), "\(ending.errorText)")
            #expect(ending.seconds < 0.2 + promptly)
        }

        /// What stops a machine is no queued signal: their number is limited for each user, and others may use it up.
        @Test func whenNoSignalCanBeQueued() throws {
            let swiftlet = [House.bench.swiftlet, "run", "--timeout", "0.4", House.image("spin")]
            var child = try Child("/usr/bin/prlimit", ["--sigpending=0"] + swiftlet)
            #expect(child.finish(seconds: 5).how == .exited(124))
        }

        /// Starts a guest whose log lines, and whose report, nobody will ever read.
        private func stuck(_ guest: String, _ options: String) throws -> Child {
            let fill = "timeout 0.2 cat /dev/zero"  // the pipe is full then, and stays so
            let command = "\(fill); exec \"$0\" run \(options) \"$1\" 2>&1 >/dev/null"
            let arguments = ["-c", command, House.bench.swiftlet, House.image(guest)]
            return try Child("/bin/sh", arguments, output: .stuck)
        }

        /// Whether swiftlet does, within 20 s (proc(5), SigBlk). Before, a shell is in its place.
        private func holdsBack(_ signal: Int32, _ pid: pid_t) -> Bool {
            for _ in 0..<2000 {
                let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
                let line = status.split(separator: "\n").first { $0.hasPrefix("SigBlk:") } ?? ""
                let mask = UInt64(line.dropFirst(7).drop { $0.isWhitespace }, radix: 16) ?? 0
                if status.hasPrefix("Name:\tswiftlet\n"), mask >> UInt64(signal - 1) & 1 != 0 { return true }
                usleep(10_000)
            }
            return false
        }

        @Test(arguments: ["log", "spin"])
        func atTheTimeoutThoughNobodyReadsStandardError(guest: String) throws {
            var child = try stuck(guest, "--timeout 0.4")
            #expect(child.finish(seconds: promptly).how == .exited(124))
        }

        @Test(arguments: ["log", "spin"])
        func atASignalThoughNobodyReadsStandardError(guest: String) throws {
            var child = try stuck(guest, "--stats")
            #expect(holdsBack(SIGTERM, child.pid), "swiftlet runs")
            usleep(200_000)
            child.send(SIGTERM)
            #expect(child.finish(seconds: promptly).how == .exited(128 + SIGTERM))
        }

        /// A report waits for its reader, but not against a signal.
        @Test func withAReportThatNobodyReads() throws {
            var child = try stuck("fault-null", "")
            usleep(1_000_000)
            child.send(SIGTERM)
            #expect(child.finish(seconds: promptly).how == .killed(signal: SIGTERM))
        }

        /// What nohup and a shell's `&` ask for.
        @Test func notByASignalThatItsParentIgnores() throws {
            let command = "trap '' HUP; exec \"$0\" run --timeout 0.6 \"$1\""
            var child = try Child("/bin/sh", ["-c", command, House.bench.swiftlet, House.image("spin")])
            usleep(200_000)
            child.send(SIGHUP)
            #expect(child.finish(seconds: promptly).how == .exited(124))
        }

        @Test func notByTheTimeoutOfAGuestThatEnds() throws {
            var child = try House.run(["--timeout", "20", House.image("hello")])
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.seconds < promptly)
        }

        @Test func whenTheConsoleReaderIsGone() throws {
            var child = try House.run([House.image("hello")], output: .readerGone)
            let ending = child.finish()
            #expect(ending.how == .exited(128 + SIGPIPE), "\(ending.errorText)")
            #expect(ending.seconds < promptly)
        }

        @Test(arguments: ["hello", "echo"])
        func closedInputIsEmptyInput(guest: String) throws {
            var child = try House.run([House.image(guest)], input: .closed)
            let ending = child.finish(seconds: 5)
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText == (guest == "hello" ? "Hello from ring 3!\n" : ""))
        }

        @Test func inputArrivesAsItIsTyped() throws {
            var child = try House.run([House.image("echo")], input: .open)
            for text in ["first", "second"] {
                child.type(text)
                let arrived = child.waits(for: text)
                #expect(arrived)
            }
            child.closeInput()
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText == "firstsecond")
        }
    }
}
