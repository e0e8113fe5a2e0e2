// swiftlet run with --stats, --trace and --profile: what users of the program see.
//
// Read next: docs/trace.md, Tests/VMMTests/ObservationTests.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Observed {
        private let folder = TestSupport.ScratchFolder()

        private func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
        }

        @Test func statisticsCountCalls() throws {
            let file = "\(folder.path)/stats.json"
            var child = try House.run(["--stats=json:\(file)", House.image("ports"), "1000"])
            #expect(child.finish().how == .exited(0))
            let object = try JSONSerialization.jsonObject(with: Data(try text("stats.json").utf8))
            let statistics = try #require(object as? [String: Any])
            #expect((statistics["calls"] as? [String: Int]) == ["poll": 1000, "console-write": 1, "exit": 1])
            let exits = try #require(statistics["exits"] as? [[String: Any]])
            let poll = try #require(exits.first { $0["name"] as? String == "poll" })
            let (run, handler) = (poll["run_ns"] as? [String: Int], poll["handler_ns"] as? [String: Int])
            for times in [try #require(run), try #require(handler)] {
                let order = ["min", "p50", "p90", "p99", "p999", "max"].compactMap { times[$0] }
                #expect(order.count == 6 && order == order.sorted() && order[0] > 0)
            }
            let time = try #require(statistics["time"] as? [String: Int])
            let phases = try #require(statistics["phases"] as? [String: Int])
            let (start, zero) = (statistics["start_ns"] as? Int, statistics["clock_zero_ns"] as? Int)
            let beforeGuest = ["image_ns", "vm_ns"].reduce(try #require(start)) { $0 + (phases[$1] ?? 0) }
            // A millisecond for two clocks whose rates differ a little.
            #expect(
                (start ?? 0) < zero ?? 0 && zero ?? 0 <= beforeGuest + 1_000_000, "its clock starts in the phase vm")
            let whole = ["run_ns", "handler_ns", "observer_ns"].reduce(0) { $0 + (time[$1] ?? 0) }
            #expect(whole <= phases["run_ns"] ?? 0, "the parts of a run are less than its whole")
            let (guest, kernel) = (try #require(time["guest_ns"]), try #require(time["kernel_ns"]))
            let parts = guest + kernel + (time["waited_ns"] ?? 0)
            #expect(abs(parts - (time["run_ns"] ?? 0)) < 10)
        }

        /// Time that the guest computes is the guest's, but for what a busy host takes from it.
        @Test func computingIsTimeInTheGuest() throws {
            let file = "\(folder.path)/stats.json"
            var child = try House.run(["--stats=json:\(file)", "--timeout", "0.5", House.image("spin")])
            #expect(child.finish().how == .exited(124))
            let object = try JSONSerialization.jsonObject(with: Data(try text("stats.json").utf8))
            let time = try #require((object as? [String: Any])?["time"] as? [String: Int])
            let run = try #require(time["run_ns"])
            #expect(run > 400_000_000)
            #expect((time["guest_ns"] ?? 0) + (time["waited_ns"] ?? 0) > run * 9 / 10)
        }

        @Test func traceGoesToStandardError() throws {
            var child = try House.run(["--trace", "-", House.image("hello")])
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.outputText == "Hello from ring 3!\n")
            let lines = ending.errorText.split(separator: "\n")
            #expect(lines.contains { $0.contains(" console_write+") && $0.contains(" console-write 0x21 ") })
            #expect(lines.last?.hasSuffix("  stop: exit, status 0") == true)
        }

        /// And not the stub that reports it: of a guest's crash, and of an instruction that somebody stands in for.
        @Test func trapsAreToldWhereTheyCameFrom() throws {
            var crash = try House.run(["--explain", House.image("fault-write-text")])
            let crashed = crash.finish()
            #expect(crashed.how == .exited(126) && crashed.errorText.contains("\nAt main+0x"))
            var kernel = try House.run(["--explain", "--ring", "3", House.image("hvt-privileged")])
            let ending = kernel.finish()
            #expect(ending.how == .exited(0) && ending.errorText.contains("\nAt hvt_main+0x"))
        }

        @Test func profileNamesTheFunction() throws {
            let file = "\(folder.path)/profile"
            var child = try House.run(["--profile", file, House.image("primes"), "1000000", "100"])
            #expect(child.finish().how == .exited(0))
            let counts = try text("profile").split(separator: "\n").map { $0.split(separator: " ") }
            let all = counts.reduce(0) { $0 + (Int($1[1]) ?? 0) }
            let most = try #require(counts.first)
            #expect(most[0] == "main" && Int(most[1]) ?? 0 > all * 8 / 10, "the compiler puts the sieve into main")
            #expect(all > 10)
        }

        /// The guest judges its own timers.
        @Test(arguments: ["timer", "sleep", "clock"])
        func profileDisturbsNoTimer(guest: String) throws {
            let profile = ["--profile", "\(folder.path)/profile", "--profile-rate", "5000", "--timeout", "20"]
            var child = try House.run(profile + [House.image(guest)])
            #expect(child.finish().how == .exited(0))
        }

        @Test func allThreeTogether() throws {
            let options = ["--stats", "--profile", "-", "--trace", "\(folder.path)/t.json", "--timeout", "0.3"]
            var child = try House.run(options + [House.image("spin")])
            let ending = child.finish()
            #expect(ending.how == .exited(124))
            for words in ["swiftlet: profile\n", "swiftlet: exits ", "swiftlet: time\n", "100.0%  main\n"] {
                #expect(ending.errorText.contains(words))
            }
            #expect(try JSONSerialization.jsonObject(with: Data(try text("t.json").utf8)) is [[String: Any]])
        }

        @Test(arguments: [["--trace", "/nowhere/t"], ["--profile", "/nowhere/p"], ["--trace=/"]])
        func badPathsAreRefused(options: [String]) throws {
            var child = try House.run(options + [House.image("hello")])
            #expect(child.finish().isRefusal(mentioning: "/"))
        }

        /// One line, and the guest runs on to its own end.
        @Test func fullDiskIsSaidOnce() throws {
            var child = try House.run(["--trace", "/dev/full", House.image("ports"), "3000"])
            let ending = child.finish()
            #expect(ending.how == .exited(0))
            #expect(ending.errorText.hasPrefix("swiftlet: /dev/full: the trace ends here, the guest runs on: "))
            #expect(ending.errorText.filter { $0 == "\n" }.count == 1)
        }

        /// A pipe that is open and never read fills up; a time limit gets through all the same.
        @Test func aTraceThatNobodyReadsHoldsUpNoStop() throws {
            let fifo = "\(folder.path)/fifo"
            #expect(unsafe mkfifo(fifo, 0o600) == 0)
            let reader = unsafe open(fifo, O_RDONLY | O_NONBLOCK)
            defer { close(reader) }
            var child = try House.run(["--trace", fifo, "--timeout", "0.5", House.image("ports"), "100000000"])
            let ending = child.finish()
            #expect(ending.how == .exited(124) && ending.seconds < 5)
        }
    }
}
