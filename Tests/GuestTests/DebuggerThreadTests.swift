// `swiftlet run --gdb --cpus N`: each vCPU is a thread, one's stop is everybody's, and none that comes at the same time is lost.
//
// Read next: Sources/Debugger/Target.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct DebuggerThreads {
        private let folder = TestSupport.ScratchFolder()
        private var path: String { "\(folder.path)/gdb" }
        private static let rip = 16

        private func start(_ guest: String, cpus: Int, arguments: [String] = []) throws -> Child {
            try House.run(["--gdb", "unix:\(path)", "--cpus", "\(cpus)", House.image(guest)] + arguments)
        }

        private func symbol(_ name: String, _ guest: String) throws -> UInt64 {
            var child = try Child("/usr/bin/nm", [House.image(guest)])
            let lines = child.finish().outputText.split(separator: "\n").map { $0.split(separator: " ") }
            let line = try #require(lines.first { $0.last.map(String.init) == name })
            return try #require(UInt64(line[0], radix: 16))
        }

        @Test func eachVCPUIsAThread() throws {
            var child = try start("cpus", cpus: 2)
            let (client, begin) = (try GDBClient(path), try symbol("begin", "cpus"))
            #expect(client.ask("qfThreadInfo") == "m1,2" && client.ask("qsThreadInfo") == "l")
            #expect(client.ask("qThreadExtraInfo,2").map { GDBClient.text($0) } == "vCPU 1")
            #expect(client.ask("T2") == "OK" && client.ask("T3") == "E01" && client.ask("Hg3") == "E01")
            #expect(client.ask("vCont;c:3") == "" && client.ask("vCont;s:0") == "")
            #expect(client.ask("Z0,\(String(begin, radix: 16)),1") == "OK")
            #expect(client.ask("c") == "T05thread:2;" && client.ask("qC") == "QC2")
            #expect(client.register(Self.rip) == begin)
            #expect(client.ask("Hg1") == "OK")
            let first = try #require(client.register(Self.rip))
            #expect(first != begin)
            #expect(client.ask("vCont;s:2;c") == "T05thread:2;" && client.ask("?") == "T05thread:2;")
            let second = try #require(client.register(Self.rip))
            #expect((begin + 1...begin + 15).contains(second))
            #expect(client.ask("Hg1") == "OK" && client.register(Self.rip) == first, "it stood still meanwhile")
            #expect(client.ask("vCont;s:1") == "T05thread:1;" && client.register(Self.rip) != first)
            #expect(client.ask("Hg2") == "OK" && client.register(Self.rip) == second)
            #expect(client.ask("c") == "W00")
            let ending = child.finish()
            #expect(ending.outputText == "2 vCPUs, numbers 3, counted to 200000\n", "\(ending.errorText)")
        }

        /// Four come to the same instruction, whenever that is: each is told once, and the count is right.
        @Test func noBreakpointIsLost() throws {
            var child = try start("cpus", cpus: 5)
            let (client, place) = (try GDBClient(path), String(try symbol("count", "cpus"), radix: 16))
            #expect(client.ask("Z0,\(place),1") == "OK")
            var threads: [String] = []
            var answer = client.ask("c")
            while let stop = answer, stop.hasPrefix("T05thread:"), threads.count < 10 {
                threads.append(stop)
                answer = client.ask("vCont;c")
            }
            #expect(answer == "W00")
            #expect(Set(threads).count == threads.count, "\(threads)")
            #expect(Set(threads).isSuperset(of: (2...5).map { "T05thread:\($0);" }), "\(threads)")
            let ending = child.finish()
            #expect(ending.outputText == "5 vCPUs, numbers 1f, counted to 500000\n", "\(ending.errorText)")
        }

        @Test func interruptStopsAllAndTheyGoOn() throws {
            var child = try start("cpus", cpus: 3, arguments: ["spin"])
            let client = try GDBClient(path)
            client.send("c")
            let hasCounted = child.waits(for: "counted to 300000")
            #expect(hasCounted)
            for _ in 0..<3 {
                client.interrupt()
                #expect(client.answer()?.hasPrefix("T02thread:") == true)
                #expect(client.ask("Hg2") == "OK" && client.register(Self.rip) != nil)
                client.send("c")
                usleep(20_000)
            }
            client.hangUp()
            usleep(100_000)
            child.send(SIGTERM)
            let ending = child.finish()
            #expect(ending.how == .exited(128 + SIGTERM))
        }

        @Test func aCrashIsItsVCPUs() throws {
            var child = try start("cpus", cpus: 3, arguments: ["fault"])
            let client = try GDBClient(path)
            #expect(client.ask("c") == "T0bthread:3;")
            #expect(client.monitor("walk cr2").contains("bit 0 (present) of the "))
            #expect(client.ask("c") == "X0b")
            let ending = child.finish()
            #expect(ending.how == .exited(126) && ending.errorText.contains(", vCPU 2"))
        }

        @Test func anyVCPUsExitIsTheEnd() throws {
            var child = try start("cpus", cpus: 3, arguments: ["exit"])
            let client = try GDBClient(path)
            #expect(client.ask("c") == "W07")
            let ending = child.finish()
            #expect(ending.how == .exited(7))
        }

        /// The processor that INIT and SIPI have started.
        @Test func aKernelsProcessorsAreThreads() throws {
            var child = try start("smp-hello", cpus: 2, arguments: ["2"])
            let client = try GDBClient(path)
            let place = String(try symbol("processor", "smp-hello"), radix: 16)
            #expect(client.ask("qfThreadInfo") == "m1,2" && client.ask("Z0,\(place),1") == "OK")
            #expect(client.ask("c") == "T05thread:2;")
            #expect(client.ask("vCont;s:2") == "T05thread:2;" && client.ask("z0,\(place),1") == "OK")
            #expect(client.ask("c") == "W01")
            let ending = child.finish()
            #expect(ending.outputText == "processors: 0 1 \ncounted to 2000\n", "\(ending.errorText)")
        }
    }
}
