// A restored guest is watched as one that was started: `swiftlet restore` with --stats, --trace and --profile.
//
// Read next: Sources/Snapshot/RestoreCommand.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct RestoreReports {
        private let folder = TestSupport.ScratchFolder()
        private var file: String { "\(folder.path)/snapshot" }

        /// Saves the guest "snapshot" at its call, then restores it with these options.
        private func restored(_ options: [String]) throws -> Ending {
            var child = try House.run(["--snapshot", file, "--snapshot-exit", House.image("snapshot")])
            let first = child.finish()
            #expect(first.how == .exited(0), "\(first.errorText)")
            var restored = try Child(House.bench.swiftlet, ["restore", "--timeout", "30"] + options + [file])
            return restored.finish()
        }

        private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

        @Test func statisticsTellOfTheRestoreAndItsMemory() throws {
            let path = "\(folder.path)/stats.json"
            let ending = try restored(["--stats=json:\(path)"])
            #expect(ending.outputText == "restored, generation 1\n", "\(ending.errorText)")
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
            let statistics = try #require(object as? [String: Any])
            #expect(statistics["outcome"] as? String == "exit")
            let phases = try #require(statistics["phases"] as? [String: Any])
            #expect(Set(phases.keys) == ["snapshot_ns", "map_ns", "vm_ns", "vcpu_ns", "sandbox_ns", "run_ns"])
            let calls = try #require(statistics["calls"] as? [String: Int])
            #expect(calls["exit"] == 1 && calls["console-write"] == 1)
            let memory = try #require(statistics["memory"] as? [String: Any])
            #expect((memory["slots"] as? [String: Any])?["count"] as? Int == 2)
            let resident = try #require(memory["resident"] as? Int)
            let copied = try #require(memory["copied"] as? Int)
            #expect(copied >= 4096 && copied <= resident, "the call page at least is this machine's own")
        }

        @Test func tableTraceAndProfileAreWritten() throws {
            let (trace, profile) = ("\(folder.path)/trace", "\(folder.path)/profile")
            let ending = try restored(["--stats", "--trace", trace, "--profile", profile, "--profile-rate", "2000"])
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.errorText.contains("swiftlet: phases") && ending.errorText.contains("KiB copied"))
            #expect(try text(trace).contains("# swiftlet restore"))
            #expect(try text(trace).contains("main+0x"), "names from the image that the guest was started from")
            #expect(FileManager.default.fileExists(atPath: profile))
        }

        @Test func whatWouldOverwriteTheSnapshotIsRefused() throws {
            for option in ["--trace", "--profile", "--stats=json:", "--core"] {
                let options = option.hasSuffix(":") ? [option + file] : [option, file]
                let ending = try restored(options)
                #expect(ending.isRefusal(mentioning: "would overwrite the snapshot"), "\(ending.errorText)")
            }
            let both = try restored(["--trace", "\(folder.path)/x", "--stats=json:\(folder.path)/./x"])
            #expect(both.isRefusal(mentioning: "--trace and --stats would overwrite each other"))
            #expect(unsafe link(file, "\(folder.path)/hard") == 0)
            var child = try Child(House.bench.swiftlet, ["restore", "--core", "\(folder.path)/hard", file])
            let linked = child.finish()
            #expect(linked.isRefusal(mentioning: "--core would overwrite the snapshot"), "\(linked.errorText)")
            let series = ["--snapshot", "\(folder.path)/s", "--snapshot-incremental"]
            let increment = try restored(series + ["--core", "\(folder.path)/s.1"])
            #expect(increment.isRefusal(mentioning: "--core would overwrite s.1"), "\(increment.errorText)")
        }

        @Test func wrongOptionsAreOneLine() throws {
            let lines = [
                (["--stats=xml"], "--stats=xml: json, json:FILE or json:fd:N"),
                (["--profile-rate", "0"], "samples a second, 1 to 10000"),
                (["--trace", "/nowhere/trace"], "No such file or directory"),
            ]
            for (options, words) in lines {
                let ending = try restored(options)
                #expect(ending.isRefusal(mentioning: words), "\(ending.errorText)")
            }
        }
    }
}
