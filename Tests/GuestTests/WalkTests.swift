// `swiftlet walk`: a broken guest's core names the entry that is broken, a snapshot's walk says where memory lies, and what is no
// such file is refused.
//
// Read next: Sources/swiftlet-walk/Walk.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Walks {
        private let folder = TestSupport.ScratchFolder()

        private func walk(_ arguments: [String]) throws -> Ending {
            var child = try Child(House.bench.swiftlet + "-walk", arguments)
            return child.finish()
        }

        private func core(of guest: String) throws -> String {
            let path = "\(folder.path)/\(guest).core"
            var child = try House.run(["--core", path, House.image(guest)])
            let ending = child.finish()
            #expect(ending.how == .exited(126))
            return path
        }

        private func json(_ arguments: [String]) throws -> [[String: Any]] {
            let ending = try walk(["--json"] + arguments)
            let object = try #require(try JSONSerialization.jsonObject(with: Data(ending.output)) as? [String: Any])
            return try #require(object["walks"] as? [[String: Any]])
        }

        @Test func brokenEntryIsNamed() throws {
            let core = try core(of: "fault-page-tables")
            let ending = try walk([core])
            #expect(ending.how == .exited(1), "\(ending.errorText)")
            let first = try #require(try json([core, "rip"]).first)
            let levels = try #require(first["levels"] as? [[String: Any]])
            let table = try #require(levels.first?["table"] as? Int)
            #expect(levels.count == 1)
            let words = "of the PML4E at 0x\(String(table, radix: 16)) "
            #expect(ending.outputText.contains(words) && ending.outputText.contains("set, but reserved"))
        }

        /// What the guest did, the walk explains: reads of the same page are allowed.
        @Test(arguments: [
            ("fault-write-text", "cr2", "write", "bit 1 (R/W) of the PTE at "),
            ("fault-execute-data", "cr2", "execute", "bit 63 (NX) of the PTE at "),
            ("fault-stack-overflow", "cr2", "write", "bit 0 (present) of the PTE at "),
        ])
        func faultsAreExplained(guest: String, address: String, access: String, why: String) throws {
            let walk = try #require(try json([try core(of: guest), address]).first)
            let verdicts = try #require(walk["access"] as? [String: [String: Any]])
            let verdict = try #require(verdicts[access])
            #expect(verdict["allowed"] as? Bool == false && (verdict["why"] as? String)?.hasPrefix(why) == true)
            #expect(verdicts["read"]?["allowed"] as? Bool == (guest != "fault-stack-overflow"))
        }

        @Test func snapshotIsWalked() throws {
            let file = "\(folder.path)/snapshot"
            var child = try House.run(["--snapshot", file, "--snapshot-exit", House.image("upper")])
            let ending = child.finish()
            #expect(ending.how == .exited(0))
            let text = try walk([file, "0x40000", "0x2000", "0x400000"]).outputText
            #expect(text.contains("in              image") && text.contains("read-only, user, executable"))
            #expect(text.contains("memory slot     0  0x1000-0x6fff, read-only"))
            #expect(text.contains("bit 2 (U/S) of the PTE") && text.contains("\(file) at 0x"))
            #expect(text.contains("in a page of 2 MiB") && text.contains("in no file: a page of zeros"))
            let supervisor = try walk(["--as", "supervisor", file, "0x2000"])
            #expect(supervisor.how == .exited(0) && supervisor.outputText.contains("read     allowed"))
            let elsewhere = try walk(["--root", "0x10000000", file, "0x40000"])
            #expect(elsewhere.how == .exited(1))
            #expect(elsewhere.outputText.contains("CR3 names the PML4 at 0x10000000, where no memory is"))
        }

        /// Each vCPU's own registers, in a core and in a snapshot.
        @Test func anotherVCPUIsWalked() throws {
            let core = "\(folder.path)/core"
            var crash = try House.run(["--cpus", "3", "--core", core, House.image("cpus"), "fault"])
            let ending = crash.finish()
            #expect(ending.how == .exited(126))
            let stacks = try (0..<3).map { try json(["--vcpu", "\($0)", core, "rsp"]).first?["address"] as? Int }
            #expect(Set(stacks.compactMap(\.self)).count == 3, "\(stacks)")
            #expect(try json([core, "rsp"]).first?["address"] as? Int == stacks[2], "the one that crashed")
            #expect(try walk(["--vcpu", "3", core]).isRefusal(mentioning: "--vcpu 3"))
            #expect(try walk(["--vcpu", "x", core]).isRefusal(mentioning: "--vcpu 'x': a number from 0 to "))
            let saved = "\(folder.path)/saved"
            var child = try House.run([
                "--cpus", "2", "--snapshot", saved, House.image("cpus-snapshot"), "3000000", "all",
            ])
            let end = child.finish()
            #expect(end.how == .exited(0))
            #expect(try json([saved, "rsp"]).first?["address"] as? Int != nil)
            let places = try (0..<2).map { try json(["--vcpu", "\($0)", saved, "rsp"]).first?["address"] as? Int }
            #expect(places[0] != nil && places[1] != nil && places[0] != places[1])
            #expect(try walk(["--vcpu", "2", saved]).isRefusal(mentioning: "--vcpu 2"))
        }

        @Test func walkIsDrawn() throws {
            let core = try core(of: "fault-write-text")
            let drawing = "\(folder.path)/walk.svg"
            #expect(try walk(["--svg", drawing, core, "cr2"]).how == .exited(0))
            let text = try String(contentsOfFile: drawing, encoding: .utf8)
            #expect(text.hasPrefix("<?xml ") && text.hasSuffix("</svg>\n"))
            #expect(text.contains("PML4 index 0") && text.contains("bit 1 (R/W) of the PTE at "))
        }

        @Test func whatIsNoSuchFileIsRefused() throws {
            #expect(try walk(["/bin/sh"]).isRefusal(mentioning: "neither a snapshot nor a core"))
            #expect(try walk(["\(folder.path)/none"]).isRefusal(mentioning: "none"))
            let cut = try Data(contentsOf: URL(filePath: try core(of: "fault-null"))).prefix(200)
            #expect(try walk([try folder.file("cut", Array(cut))]).isRefusal(mentioning: "neither"))
            let core = try core(of: "fault-null")
            #expect(try walk([core, "main"]).isRefusal(mentioning: "ADDRESS 'main'"))
            #expect(try walk(["--as", "root", core]).isRefusal(mentioning: "--as 'root'"))
        }
    }
}
