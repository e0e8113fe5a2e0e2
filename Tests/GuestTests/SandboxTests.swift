// A running swiftlet as the kernel sees it: filtered, without new privileges, with no descriptor but its own.
//
// That every option works in the sandbox is what all other tests here show: it is on. Read next:
// Tests/SandboxTests/FilterTests.swift (what it forbids).

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Sandboxes {
        /// Fields of /proc/PID/task/*/status, of every thread.
        private func fields(_ name: String, of process: Int32) throws -> [String] {
            let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
            return try tasks.map { task in
                let text = try String(contentsOfFile: "/proc/\(process)/task/\(task)/status", encoding: .utf8)
                let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
                return line.map { String($0.split(separator: "\t").last ?? "") } ?? "absent"
            }
        }

        /// The guest has answered: so it runs, in the sandbox if there is one.
        private func answers(_ child: inout Child) {
            child.type("hello")
            let arrived = child.waits(for: "hello")
            #expect(arrived)
        }

        /// Root's capabilities stay with who opens files later.
        @Test(arguments: [([], true), (["--stats"], false), (["--no-sandbox"], false)])
        func anOrdinaryRunHasNoCapabilities(options: [String], hasNone: Bool) throws {
            var child = try House.run(options + [House.image("echo")], input: .open)
            answers(&child)
            for name in ["CapEff", "CapPrm", "CapInh"] {
                let expected = try hasNone ? "0000000000000000" : fields(name, of: getpid())[0]
                #expect(Set(try fields(name, of: child.pid)) == [expected], "\(name)")
            }
            child.closeInput()
            #expect(child.finish().how == .exited(0))
        }

        @Test(arguments: [([], "1", "2"), (["--stats"], "1", "2"), (["--no-sandbox"], "0", "0")])
        func everyThreadIsFiltered(options: [String], privileges: String, seccomp: String) throws {
            let ours = try fields("Seccomp", of: getpid())[0]
            if ours != "0" { return }  // absent, or we are in a sandbox ourselves
            var child = try House.run(options + [House.image("echo")], input: .open)
            answers(&child)
            #expect(Set(try fields("NoNewPrivs", of: child.pid)) == [privileges])
            #expect(Set(try fields("Seccomp", of: child.pid)) == [seccomp])
            #expect(try fields("Seccomp", of: child.pid).count > 1)
            child.closeInput()
            #expect(child.finish().how == .exited(0))
        }

        /// Started by a shell that leaves descriptor 9 open.
        private func start(_ options: String, file: String) throws -> Child {
            let command =
                "exec 8>'\(file).8' 9>'\(file)'; exec '\(House.bench.swiftlet)' run \(options) '\(House.image("echo"))'"
            return try Child("/bin/sh", ["-c", command], input: .open)
        }

        private func isOpen(_ file: String, in process: Int32) throws -> Bool {
            let folder = "/proc/\(process)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).contains { name in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")) == file
            }
        }

        @Test func inheritedDescriptorsAreClosed() throws {
            let folder = try ScratchFolder()
            let file = folder.path + "/inherited"
            var child = try start("", file: file)
            answers(&child)
            #expect(try !isOpen(file, in: child.pid))
            child.closeInput()
            #expect(child.finish().how == .exited(0))
            var open = try start("--no-sandbox", file: file)
            answers(&open)
            #expect(try isOpen(file, in: open.pid))
        }

        @Test(arguments: ["--stats=json:fd:9", "--stats=json:/dev/fd/9", "--trace /dev/fd/9"])
        func thoseThatWereGivenAreNot(options: String) throws {
            let folder = try ScratchFolder()
            let file = folder.path + "/given"
            var child = try start(options, file: file)
            answers(&child)
            #expect(try isOpen(file, in: child.pid) && !isOpen(file + ".8", in: child.pid))
            child.closeInput()
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(try !Data(contentsOf: URL(fileURLWithPath: file)).isEmpty)
        }

        @Test func aCoreGoesOverAnOldOne() throws {
            let folder = try ScratchFolder()
            let core = folder.path + "/core"
            try "old".write(toFile: core, atomically: false, encoding: .utf8)
            var child = try House.run(["--core", core, House.image("fault-null")])
            let ending = child.finish()
            #expect(ending.how == .exited(126))
            #expect(ending.errorText.contains("core written to \(core)"))
        }
    }
}
