// A function call into a VM, from outside: the programs `serve` and `call`, and the client of docs/serve.md.
//
// Read next: Tests/ServiceTests/ServerTests.swift (those who mean no good), guests/obey.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Serve {
        private let folder = TestSupport.ScratchFolder()
        private var socket: String { "\(folder.path)/socket" }

        /// Starts a server of a guest, and waits until it listens.
        private func serve(_ guest: String, _ options: [String] = []) throws -> Child {
            try serve(file: try House.snapshot(guest, in: folder), options)
        }

        private func serve(file snapshot: String, _ options: [String] = []) throws -> Child {
            var server = try Child(
                House.bench.swiftlet + "-serve", options + ["--socket", socket, snapshot], input: .null)
            let isListening = server.waits(for: "SIGTERM: end")
            #expect(isListening)
            return server
        }

        private func call(_ arguments: String..., input: ChildInput = .null) throws -> Ending {
            var child = try Child(House.bench.swiftlet + "-call", [socket] + arguments, input: input)
            return child.finish()
        }

        private func end(_ server: inout Child) -> Ending {
            server.send(SIGTERM)
            return server.finish(seconds: 60)
        }

        @Test func answersCalls() throws {
            var server = try serve("upper", ["--log"])
            let first = try call("Hello, world")
            #expect(first.how == .exited(0) && first.outputText == "HELLO, WORLD", "\(first.errorText)")
            let second = try call(input: .bytes(Array("from a file\n".utf8)))
            #expect(second.how == .exited(0) && second.outputText == "FROM A FILE\n", "\(second.errorText)")
            #expect(try call("").outputText == "", "an empty request is one")
            let ending = end(&server)
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            let lines = ending.outputText.split(separator: "\n").map { $0.split(separator: " ").dropLast() }
            #expect(lines == [["1", "12", "12", "0"], ["2", "12", "12", "0"], ["3", "0", "0", "0"]])
            #expect(ending.errorText.contains("3 calls: 3 exited with 0; 0 refused; p50 "))
            #expect(!FileManager.default.fileExists(atPath: socket))
            let late = try call("x")
            #expect(late.isRefusal(mentioning: "there is no server"), "\(late.errorText)")
        }

        /// A chain of increments, and memory that has grown: each life of a clone finds all of it.
        @Test(arguments: [["increments", "3"], ["grow", "save", "16"]])
        func memoryOfEveryKindIsServed(guest: [String]) throws {
            let file = "\(folder.path)/snapshot"
            let isChain = guest[0] == "increments"
            let options = isChain ? ["--snapshot-incremental"] : ["--mem", "2", "--mem-max", "34", "--snapshot-exit"]
            var saving = try House.run(
                ["--timeout", "30", "--snapshot", file] + options + [House.image(guest[0])] + guest.dropFirst(),
                input: .bytes(Array(repeating: 0x78, count: 18)))
            let saved = saving.finish()
            #expect(saved.how == .exited(0), "\(saved.errorText)")
            var server = try serve(file: file, ["--pool", "1"])
            for _ in 1...3 {
                let answer = try call("").outputText
                #expect(answer == (isChain ? "round 3: ok\n" : "grow: 2 MiB to 34 MiB\n"))
            }
            let ending = end(&server)
            #expect(ending.errorText.contains("3 calls: 3 exited with 0; 0 refused; p50 "), "\(ending.errorText)")
        }

        /// One guest's end, whatever it is, is no other's.
        @Test func everyEndOfAGuestIsTold() throws {
            var server = try serve("obey", ["--pool", "1", "--timeout", "0.5", "--output-limit", "2000"])
            for _ in 0..<2 {
                #expect(try call("exit 42").how == .exited(42))
                let slow = try call("spin")
                #expect(slow.how == .exited(124) && slow.errorText.contains("time limit"), "\(slow.errorText)")
                let crash = try call("crash")
                #expect(crash.how == .exited(126) && crash.errorText.contains("crashed"), "\(crash.errorText)")
                let long = try call("write 1000")
                #expect(long.how == .exited(125) && long.errorText.contains("more than"), "\(long.errorText)")
                #expect(try call("write 3").outputText.split(separator: "\n").count == 3)
            }
            let who = try call("who").outputText
            #expect(who.hasPrefix("clone ") && who.contains(" of 0, generation "), "\(who)")
            server.send(SIGUSR2)
            let areTold = server.waits(for: "11 calls: ")
            #expect(areTold)
            let ending = end(&server)
            #expect(ending.errorText.contains("page fault"), "the server's operator learns how it crashed")
            #expect(
                ending.errorText.contains(
                    "11 calls: 3 exited with 0, 2 another status, 2 crash, 2 output-limit, 2 timeout; 0 refused"))
        }

        @Test func requestsBeyondTheLimitGetWords() throws {
            var server = try serve("upper", ["--request-limit", "100"])
            let input = ChildInput.bytes(Array(repeating: 0x61, count: 10_000))
            let refused = try call(input: input)
            #expect(
                refused.isRefusal(mentioning: "a request of 10000 bytes, and the limit is 100"), "\(refused.errorText)")
            #expect(try call("still here").outputText == "STILL HERE")
            #expect(end(&server).how == .exited(0))
        }

        /// A call that runs is answered; the second signal does not wait for it.
        @Test func endsWhenWhatRunsIsAnswered() throws {
            var server = try serve("obey", ["--pool", "1", "--timeout", "1"])
            var caller = try Child(House.bench.swiftlet + "-call", [socket, "spin"])
            usleep(300_000)
            server.send(SIGTERM)
            #expect(caller.finish().how == .exited(124))
            #expect(server.finish().how == .exited(0))
            var other = try serve("obey", ["--pool", "1", "--timeout", "100"])
            var stuck = try Child(House.bench.swiftlet + "-call", [socket, "spin"])
            usleep(300_000)
            other.send(SIGTERM)
            let hasHeard = other.waits(for: "answering what runs")
            #expect(hasHeard)
            other.send(SIGTERM)
            #expect(other.finish().how == .exited(1))
            #expect(stuck.finish().how == .exited(125))
        }

        @Test func timesOfManyCallsAreTold() throws {
            var server = try serve("upper")
            var child = try Child(House.bench.swiftlet + "-call", ["--repeat", "50", socket, "hello"])
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText.hasPrefix("50 calls, 0 of them not exited with 0\nmin "))
            #expect(end(&server).errorText.contains("50 calls: 50 exited with 0"))
        }

        @Test func whatCannotBeServedIsRefused() throws {
            let snapshot = try House.snapshot("upper", in: folder)
            func refusal(_ arguments: String...) throws -> Ending {
                var child = try Child(House.bench.swiftlet + "-serve", arguments)
                return child.finish()
            }
            let foreign = try refusal("--socket", socket, House.image("hello"))
            #expect(foreign.isRefusal(mentioning: "not a snapshot"), "\(foreign.errorText)")
            let file = try folder.file("file", [1])
            let taken = try refusal("--socket", file, snapshot)
            #expect(taken.isRefusal(mentioning: "something else than a socket"), "\(taken.errorText)")
            #expect(try refusal(snapshot).isRefusal(mentioning: "--socket"))
            #expect(try refusal("--pool", "0", "--socket", socket, snapshot).isRefusal(mentioning: "1 to 1024"))
            var server = try serve("upper")
            let second = try refusal("--socket", socket, snapshot)
            #expect(second.isRefusal(mentioning: "somebody listens there already"), "\(second.errorText)")
            server.send(SIGKILL)
            _ = server.finish()
            #expect(FileManager.default.fileExists(atPath: socket), "it was killed")
            server = try serve("upper")
            #expect(try call("x").outputText == "X", "its successor has taken the place")
        }

        /// The example is what it says: five lines that work.
        @Test(.enabled("no python3 here") { FileManager.default.isExecutableFile(atPath: "/usr/bin/python3") })
        func pythonOfTheDocumentWorks() throws {
            let text = try String(contentsOfFile: House.root + "/docs/serve.md", encoding: .utf8)
            let parts = text.components(separatedBy: "```python\n")
            #expect(parts.count == 2)
            let program = parts[1].components(separatedBy: "```")[0]
            var server = try serve("upper")
            var child = try Child("/usr/bin/python3", ["-c", program, socket, "from python"])
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.outputText == "FROM PYTHON", "\(ending.errorText)")
            #expect(end(&server).how == .exited(0))
        }
    }
}
