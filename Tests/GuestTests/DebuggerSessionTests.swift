// gdb and lldb themselves, scripted: guests in ring 3, kernels and unikernels in ring 0, and a unikernel in ring 3.
//
// Read next: Sources/Debugger/Session.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct DebuggerSessions {
        private let folder = TestSupport.ScratchFolder()

        /// Of the programs, the first that starts.
        private static func program(_ names: [String]) -> String? {
            let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            for path in names.flatMap({ name in folders.map { "\($0)/\(name)" } })
            where FileManager.default.isExecutableFile(atPath: path) {
                guard var child = try? Child(path, ["--version"]) else { continue }
                if child.finish().how == .exited(0) { return path }
            }
            return nil
        }

        private static let gdb = program(["gdb"])
        private static let lldb = program(["lldb"] + (14...22).reversed().map { "lldb-\($0)" })
        private static let noGDB: Comment = "gdb is not installed (apt-get install gdb)"
        private static let noLLDB: Comment = "no lldb that starts (apt-get install lldb-16)"

        /// What gdb prints; the guest's console is on the standard error of its pipe.
        private func session(_ guest: String, options: String = "", _ commands: String) throws -> String {
            let swiftlet =
                "\(House.bench.swiftlet) run --gdb - \(options) \(House.image(guest)) 2>\(folder.path)/console"
            let script = "set confirm off\nset pagination off\ntarget remote | exec \(swiftlet)\n\(commands)\n"
            let path = try folder.file("script", Array(script.utf8))
            var child = try Child(try #require(Self.gdb), ["-q", "-nx", "-batch", "-x", path, House.image(guest)])
            let ending = child.finish(seconds: 60)
            return ending.outputText + ending.errorText
        }

        private var console: String { (try? String(contentsOfFile: "\(folder.path)/console", encoding: .utf8)) ?? "" }

        @Test(.enabled(if: gdb != nil, noGDB)) func gdbInRing3() throws {
            let text = try session(
                "primes",
                """
                break main
                continue
                stepi
                p $rip
                hbreak put_string
                delete
                info threads
                set $xmm1.uint128 = 77
                stepi
                p $xmm1.uint128
                monitor walk rip
                continue
                """)
            #expect(text.contains("Breakpoint 1, 0x"), "\(text)")
            #expect(text.contains("<main+") && text.contains("(vCPU 0)") && text.contains("= 77"), "\(text)")
            #expect(text.contains("memory slot     1") && text.contains("exited normally"), "\(text)")
            #expect(console.contains("checksum 78498"))
        }

        @Test(.enabled(if: gdb != nil, noGDB)) func gdbSeesVCPUsAsThreads() throws {
            let text = try session(
                "cpus", options: "--cpus 2",
                """
                break begin
                continue
                info threads
                thread 1
                stepi
                thread 2
                stepi
                p $rip
                delete
                continue
                """)
            #expect(text.contains("hit Breakpoint 1, 0x") && text.contains("(vCPU 1)"), "\(text)")
            #expect(text.contains("(vCPU 0)") && text.contains("exited normally"), "\(text)")
            #expect(console.contains("counted to 200000"), "\(console)")
        }

        /// By single steps where the host has no debug registers for its guests.
        @Test(.enabled(if: gdb != nil, noGDB)) func gdbWatchesMemory() throws {
            let text = try session(
                "hello",
                """
                break main
                continue
                delete
                watch *(long *)($rsp - 8)
                continue
                info watchpoints
                delete
                continue
                """)
            #expect(text.contains("atchpoint 2") && text.contains("New value = "), "\(text)")
            #expect(text.contains("exited normally") && console == "Hello from ring 3!\n", "\(text)")
        }

        @Test(.enabled(if: gdb != nil, noGDB), arguments: ["multiboot-hello", "pvh-hello"])
        func gdbInAKernel(guest: String) throws {
            let text = try session(
                guest,
                """
                break kernel
                continue
                stepi
                p $eip
                hbreak *$eip
                delete 1
                monitor map
                continue
                """)
            #expect(text.contains("Breakpoint 1, 0x") && text.contains("<kernel+"), "\(text)")
            #expect(text.contains("slot 0"), "\(text)")
            #expect(console.contains("Hello from "))
        }

        @Test(.enabled(if: gdb != nil, noGDB), arguments: ["0", "3"])
        func gdbInAUnikernel(ring: String) throws {
            let text = try session(
                "hvt-hello", options: "--ring \(ring)",
                """
                break hvt_main
                continue
                stepi
                p $rip
                p $cs
                delete
                hbreak *$rip
                continue
                """)
            #expect(text.contains("Breakpoint 1, 0x") && text.contains("<hvt_main+") && text.contains("= 8"), "\(text)")
            #expect(text.contains("exited normally") && console.contains("Hello from ring 0!"), "\(text)")
        }

        @Test(.enabled(if: lldb != nil, noLLDB)) func lldbInRing3() throws {
            let socket = "\(folder.path)/lldb"
            var guest = try House.run(["--gdb", "unix:\(socket)", House.image("primes")])
            let isWaiting = guest.waits(for: "waiting for a debugger")
            #expect(isWaiting)
            let script = """
                process connect --plugin gdb-remote unix-connect://\(socket)
                breakpoint set --name main
                continue
                thread step-inst
                register read rip ymm0
                register write rbx 0x77
                register read rbx
                process plugin packet monitor map
                breakpoint delete -f
                continue
                """
            let path = try folder.file("script", Array(script.utf8))
            var child = try Child(try #require(Self.lldb), ["--batch", "-s", path, House.image("primes")])
            let text = child.finish(seconds: 60).outputText
            #expect(text.contains("stop reason = breakpoint 1.1") && text.contains("`main + "), "\(text)")
            #expect(text.contains("rbx = 0x0000000000000077") && text.contains("ymm0 = {"), "\(text)")
            #expect(text.contains("slot 1") && text.contains("exited with status = 0"), "\(text)")
            let output = guest.finish().outputText
            #expect(output.contains("checksum 78498"))
        }

        /// A core opens in both, at the instruction that crashed.
        @Test func coresOpenInDebuggers() throws {
            let core = "\(folder.path)/core"
            var crash = try House.run(["--core", core, House.image("fault-write-text")])
            let ending = crash.finish()
            #expect(ending.how == .exited(126))
            if let gdb = Self.gdb {
                var child = try Child(
                    gdb, ["-q", "-nx", "-batch", "-ex", "x/i $pc", House.image("fault-write-text"), core])
                let text = child.finish(seconds: 60).outputText
                #expect(text.contains("in main ()") && text.contains("movb"), "\(text)")
            }
            if let lldb = Self.lldb {
                var child = try Child(
                    lldb,
                    [
                        "--batch", "-o", "target modules load --file fault-write-text.elf --slide 0", "-o",
                        "register read rip",
                        "-c", core, House.image("fault-write-text"),
                    ])
                let text = child.finish(seconds: 60).outputText
                #expect(text.contains("fault-write-text.elf`main + "), "\(text)")
            }
        }
    }
}
