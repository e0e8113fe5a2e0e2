// `swiftlet run --gdb` by the protocol itself: what a debugger can ask, how a session ends, and that a bad one harms nothing.
//
// Read next: DebuggerSessionTests.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Debuggers {
        private let folder = TestSupport.ScratchFolder()
        private var path: String { "\(folder.path)/gdb" }
        private static let (rsp, rip) = (7, 16)

        private func start(
            _ guest: String, _ options: [String] = [], input: ChildInput = .null, arguments: [String] = []
        ) throws -> Child {
            try House.run(["--gdb", "unix:\(path)"] + options + [House.image(guest)] + arguments, input: input)
        }

        /// The address of a symbol, as nm(1) prints it.
        private func symbol(_ name: String, _ guest: String) throws -> UInt64 {
            var child = try Child("/usr/bin/nm", [House.image(guest)])
            let lines = child.finish().outputText.split(separator: "\n").map { $0.split(separator: " ") }
            let line = try #require(lines.first { $0.last.map(String.init) == name })
            return try #require(UInt64(line[0], radix: 16))
        }

        @Test func whatADebuggerAsksFirst() throws {
            var child = try start("hello")
            let client = try GDBClient(path)
            #expect(client.ask("qSupported:swbreak+")?.contains("qXfer:features:read+") == true)
            #expect(client.ask("vMustReplyEmpty") == "")
            #expect(client.ask("?") == "T05thread:1;")
            #expect(client.ask("qXfer:features:read:target.xml:0,ffff")?.contains("i386:x86-64") == true)
            #expect(client.ask("qfThreadInfo") == "m1" && client.ask("qsThreadInfo") == "l")
            #expect(client.ask("qThreadExtraInfo,1").map { GDBClient.text($0) } == "vCPU 0")
            #expect(client.ask("Hg0") == "OK" && client.ask("Hc-1") == "OK" && client.ask("T2") == "E01")
            #expect(client.register(Self.rip) == (try symbol("start", "hello")))
            #expect(client.ask("QStartNoAckMode") == "OK")
            #expect(FileManager.default.fileExists(atPath: path) == false, "the socket's name is gone")
            #expect(client.ask("c") == "W00")
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.outputText == "Hello from ring 3!\n", "\(ending.errorText)")
        }

        @Test func breakpointsStepsAndMemory() throws {
            var child = try start("hello")
            let (client, main) = (try GDBClient(path), try symbol("main", "hello"))
            let place = String(main, radix: 16)
            #expect(client.ask("qSupported:swbreak+") != nil)
            let code = client.ask("m\(place),4")
            #expect(client.ask("Z0,\(place),1") == "OK")
            #expect(client.ask("m\(place),4") == code, "nobody sees the INT3 but the CPU")
            #expect(client.ask("c") == "T05swbreak:;thread:1;" && client.register(Self.rip) == main)
            let stack = try #require(client.register(Self.rsp))
            #expect(client.ask("s") == "T05thread:1;")
            let second = try #require(client.register(Self.rip))
            #expect((main + 1...main + 15).contains(second))
            // Back to main, over the breakpoint that still is there.
            #expect(
                client.ask("P10=\(client.digits(main))") == "OK" && client.ask("P7=\(client.digits(stack))") == "OK")
            #expect(client.ask("s") == "T05thread:1;" && client.register(Self.rip) == second)
            #expect(client.ask("z0,\(place),1") == "OK")
            #expect(
                client.ask("M\(place),1:90") == "OK" && client.ask("m\(place),1") == "90",
                "text is a debugger's to write")
            #expect(client.ask("m0,8") == "E0e" && client.ask("M0,1:90") == "E01" && client.ask("Z0,0,1") == "E0e")
            #expect(client.ask("c") == "W00")
            let ending = child.finish()
            #expect(ending.outputText == "Hello from ring 3!\n")
        }

        /// An exception behind an emulated OUT is the next instruction's: the step is told all the same.
        @Test func aStepOverACallIsOneInstruction() throws {
            var child = try start("hello")
            let (client, write) = (try GDBClient(path), try symbol("console_write", "hello"))
            #expect(client.ask("Z0,\(String(write, radix: 16)),1") == "OK" && client.ask("c")?.hasPrefix("T05") == true)
            var place = write
            for _ in 0..<20 {
                let code = client.ask("m\(String(place, radix: 16)),1")
                #expect(client.ask("s") == "T05thread:1;")
                let next = try #require(client.register(Self.rip))
                if code == "ef" {  // out %eax,(%dx)
                    #expect(next == place + 1)
                    #expect(client.ask("z0,\(String(write, radix: 16)),1") == "OK")
                    #expect(client.ask("c") == "W00")
                    let ending = child.finish()
                    #expect(ending.outputText == "Hello from ring 3!\n")
                    return
                }
                place = next
            }
            Issue.record("no OUT in console_write")
        }

        @Test func vectorRegistersAreWritten() throws {
            var child = try start("primes")
            let client = try GDBClient(path)
            let xml = try #require(client.ask("qXfer:features:read:target.xml:0,ffff"))
            let number = try #require(
                xml.split(separator: "name=\"xmm3\"").last?.split(separator: "regnum=\"")[1].prefix { $0 != "\"" })
            let register = String(try #require(Int(number)), radix: 16)
            let value = "0123456789abcdef0011223344556677"
            #expect(client.ask("P\(register)=\(value)") == "OK" && client.ask("p\(register)") == value)
            #expect(client.ask("s")?.hasPrefix("T05") == true && client.ask("p\(register)") == value)
            #expect(client.ask("k") == "X09")
            let ending = child.finish()
            #expect(ending.how == .exited(137))
        }

        @Test func interruptDetachAndRunOn() throws {
            var child = try start("echo", input: .open)
            let client = try GDBClient(path)
            client.send("c")
            usleep(200_000)
            client.interrupt()
            #expect(client.answer() == "T02thread:1;")
            let read = try symbol("console_read", "echo")
            let rip = try #require(client.register(Self.rip))
            #expect((read..<read + 64).contains(rip), "it waits in the call, which will be made again")
            #expect(client.monitor("exits").contains("swiftlet: exits"))
            #expect(client.ask("D") == "OK")
            child.type("after the debugger\n")
            let isThere = child.waits(for: "after the debugger")
            #expect(isThere)
            child.closeInput()
            let ending = child.finish()
            #expect(ending.how == .exited(0))
        }

        @Test func aLostDebuggerLeavesNothingBehind() throws {
            var child = try start("hello")
            let client = try GDBClient(path)
            let main = String(try symbol("main", "hello"), radix: 16)
            #expect(client.ask("Z0,\(main),1") == "OK")
            client.hangUp()
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.outputText == "Hello from ring 3!\n", "\(ending.errorText)")
        }

        @Test func aCrashIsShownAndThenTheEnd() throws {
            var child = try start("fault-write-text", ["--core", "\(folder.path)/core"])
            let client = try GDBClient(path)
            client.send("c")
            let words = try #require(client.receive())
            #expect(GDBClient.text(words.dropFirst()).contains("page fault (#PF, vector 14): write to 0x"))
            #expect(client.answer() == "T0bthread:1;")
            #expect(client.register(Self.rip).map { ((try? symbol("main", "fault-write-text")) ?? 0)...$0 } != nil)
            #expect(client.monitor("walk cr2").contains("bit 1 (R/W) of the PTE at "))
            #expect(client.ask("c") == "X0b")
            let ending = child.finish()
            #expect(ending.how == .exited(126) && ending.errorText.contains("core written to"))
        }

        @Test func signalsEndARunThatStandsStill() throws {
            var child = try start("spin")
            let client = try GDBClient(path)
            #expect(client.ask("?") != nil)
            child.send(SIGTERM)
            #expect(client.answer() == "X0f")
            let ending = child.finish()
            #expect(ending.how == .exited(128 + SIGTERM))
        }

        @Test func signalsEndAWaitForADebugger() throws {
            var child = try start("spin")
            let isThere = child.waits(for: "waiting for a debugger: (gdb) target remote \(path)")
            #expect(isThere)
            child.send(SIGINT)
            let ending = child.finish()
            #expect(ending.how == .exited(128 + SIGINT))
            #expect(FileManager.default.fileExists(atPath: path) == false)
        }

        @Test func aPortOfThisHostAlone() throws {
            var child = try House.run(["--gdb", "tcp:0", House.image("hello")])
            let isThere = child.waits(for: "waiting for a debugger: (gdb) target remote 127.0.0.1:")
            #expect(isThere)
            child.send(SIGINT)
            let ending = child.finish()
            #expect(ending.how == .exited(128 + SIGINT))
        }

        /// What no debugger sends.
        @Test func strangersHarmNothing() throws {
            var child = try start("hello")
            let client = try GDBClient(path)
            client.send(raw: Array("noise$g#00".utf8) + [0x2b, 0x2b])
            client.send(raw: Array("$#".utf8))
            client.send(raw: Array("00".utf8))
            #expect(client.receive() == "", "an empty packet is unknown")
            for packet in [
                "", "m", "m,", "m-1,4", "mffffffffffffffff,ffffffffffffffff", "M40000", "M40000,2:9", "X40000,1:",
                "G00", "G",
                "Gzz", "P", "P10", "P10=", "P10=zz", "Pffff=00", "pffffffffffffffff", "Z", "Z9,0,0", "Z0", "Z2,1,3",
                "z0,zz,1", "H",
                "Hg77", "vCont", "vCont;", "vCont;x", "qXfer:features:read:target.xml:ffffffffffffffff,1", "qXfer:",
                "qRcmd,7",
                "qRcmd,zz", "qRcmd,\(String(repeating: "61", count: 4000))", "jThreadsInfo", "\u{7f}", "}", "T", "p",
            ] {
                #expect(client.ask(packet) != nil, "\(packet)")
            }
            #expect(client.ask("c") == "W00")
            let ending = child.finish()
            #expect(ending.outputText == "Hello from ring 3!\n")
        }

        /// More than any packet: nobody is listened to any more, and the guest runs.
        @Test func endlessPacketsEndTheSession() throws {
            var child = try start("hello")
            let client = try GDBClient(path)
            client.send(raw: Array("$".utf8) + [UInt8](repeating: 0x61, count: 200_000))
            let ending = child.finish()
            #expect(ending.outputText == "Hello from ring 3!\n")
        }

        @Test(arguments: [
            (["--snapshot", "s"], "--snapshot"), (["--timeout", "5"], "--timeout"), (["--raw"], "--raw"),
            (["--map-image"], "--map-image"),
        ])
        func whatDoesNotGoTogether(options: [String], name: String) throws {
            var child = try House.run(["--gdb", "unix:\(path)"] + options + [House.image("hello")])
            let ending = child.finish()
            #expect(ending.isRefusal(mentioning: "--gdb does not go with \(name)"))
        }

        @Test(arguments: ["", "unix:", "tcp:", "tcp:70000", "udp:1", "gdb"])
        func whereNoDebuggerCanBe(value: String) throws {
            var child = try House.run(["--gdb", value, House.image("hello")])
            let ending = child.finish()
            #expect(ending.isRefusal(mentioning: "--gdb"))
        }
    }
}

extension GDBClient {
    /// A register's value as a packet has it: the lowest byte first.
    func digits(_ value: UInt64) -> String {
        let text = String(value.byteSwapped, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
