// What swiftlet says about an end, apart from its exit status: --quiet, --stats=json, --core.
//
// Read next: Sources/VMM/CrashReport.swift, Sources/VMM/StatisticsReport.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Reports {
        @Test func quietMeansOneLineForACrash() throws {
            var child = try House.run(["--quiet", House.image("fault-null")])
            let ending = child.finish()
            #expect(ending.how == .exited(126))
            #expect(ending.errorText.hasPrefix("swiftlet: guest crashed: "))
            #expect(ending.errorText.filter { $0 == "\n" }.count == 1)
        }

        @Test func quietMeansNoLogLines() throws {
            var child = try House.run(["--quiet", House.image("log")])
            let ending = child.finish()
            #expect(ending.how == .exited(0))
            #expect(ending.errorText == "")
        }

        /// The same exit status may be the guest's or swiftlet's own: statistics tell them apart.
        @Test(arguments: [
            ("exit", 124, ["exit-status", "124"]), ("timeout", 124, ["spin"]), ("crash", 126, ["fault-null"]),
            ("exit", 126, ["exit-status", "126"]),
        ])
        func statisticsTellEndsApart(outcome: String, status: Int, guest: [String]) throws {
            let folder = try ScratchFolder()
            let file = folder.path + "/stats.json"
            let options = ["--timeout", "0.5", "--stats=json:\(file)"]
            var child = try House.run(options + [House.image(guest[0])] + guest.dropFirst())
            #expect(child.finish().how == .exited(Int32(status)))
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
            let statistics = try #require(object as? [String: Any])
            #expect(statistics["outcome"] as? String == outcome)
            #expect(statistics["status"] as? Int == status)
        }

        @Test func aCrashLeavesACoreAndAnExitDoesNot() throws {
            let folder = try ScratchFolder()
            let core = folder.path + "/core"
            var exits = try House.run(["--core", core, House.image("hello")])
            #expect(exits.finish().how == .exited(0))
            #expect(!FileManager.default.fileExists(atPath: core))
            var crashes = try House.run(["--core", core, House.image("fault-null")])
            #expect(crashes.finish().how == .exited(126))
            let header = try Data(contentsOf: URL(fileURLWithPath: core), options: .alwaysMapped).prefix(18)
            #expect(Array(header.prefix(4)) == Array("\u{7f}ELF".utf8))
            #expect(header[16] == 4)  // ET_CORE
        }

        /// A thread for each vCPU, the one that crashed first: gdb's `info threads`.
        @Test func aCoreHasAllVCPUs() throws {
            let folder = try ScratchFolder()
            let core = folder.path + "/core"
            var child = try House.run(["--core", core, "--cpus", "3", House.image("cpus"), "fault"])
            #expect(child.finish().how == .exited(126))
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: core), options: .alwaysMapped).prefix(8192))
            func word(_ offset: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) } }
            let (note, size) = (word(64 + 8), word(64 + 32))
            #expect((0..<3).map { word(note + 356 * $0 + 20 + 32) } == [3, 1, 2])  // pr_pid
            // Behind them what `swiftlet walk` reads of each: a header, "Swiftlet" in twelve bytes, words.
            let rest = note + 3 * 356
            #expect(size > 3 * 356 && (size - 3 * 356) % 3 == 0 && word(rest + 4) == (size - 3 * 356) / 3 - 24)
        }

        /// Not when it is over, and what it would have said is lost.
        @Test(arguments: ["--core=", "--stats=json:", "--snapshot="])
        func aFileThatCannotBeWrittenIsFoundBeforeTheGuestRuns(option: String) throws {
            let folder = try ScratchFolder()
            for path in ["/nowhere/file", "/dev/null/file", "/tmp"] {
                var child = try House.run([option + path, House.image("hello")])
                let ending = child.finish()
                #expect(ending.isRefusal(mentioning: path), "\(ending.errorText)")
            }
            var child = try House.run([option + folder.path + "/file", House.image("hello")])
            #expect(child.finish().how == .exited(0))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(left == (option.hasPrefix("--stats") ? ["file"] : []), "a look leaves nothing")
        }

        /// Full, or with a folder that goes while the guest runs.
        @Test func aCoreThatCannotBeWrittenIsSaid() throws {
            var child = try House.run(["--core", "/dev/full", House.image("fault-null")])
            let ending = child.finish()
            #expect(ending.how == .exited(126))
            #expect(ending.errorText.contains("no core: "), "\(ending.errorText)")
        }
    }
}
