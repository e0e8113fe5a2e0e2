// Increments: a guest that changes its memory in every way goes on from each of its snapshots; a chain that lost a part is
// refused; a killed writer leaves the old chain or the new one.
//
// Read next: guests/increments.

import Foundation
import GuestCases
import TestSupport
import Testing

/// How often a random instant is tried.
private let instants = ProcessInfo.processInfo.environment["SWIFTLET_SNAPSHOTS"].flatMap { Int($0) } ?? 20

extension GuestTests {
    @Suite(.requiresKVM) struct Increments {
        private let folder = TestSupport.ScratchFolder()
        private var file: String { "\(folder.path)/snapshot" }
        private var series: [String] { ["--snapshot", file, "--snapshot-incremental"] }

        private func restore(_ path: String, _ options: [String] = []) throws -> Ending {
            var child = try Child(House.bench.swiftlet, ["restore", "--timeout", "30"] + options + [path])
            return child.finish()
        }

        /// Runs the guest, with memory of a kind and a snapshot for each round.
        private func run(rounds: Int, _ options: [String] = []) throws -> Ending {
            let typed = [UInt8](repeating: 0x78, count: 6 * rounds)
            var child = try House.run(
                ["--timeout", "30"] + series + options + [House.image("increments"), "\(rounds)"],
                input: .bytes(typed))
            return child.finish()
        }

        private func merge(_ path: String, into output: String) throws -> Ending {
            var child = try Child(House.bench.swiftlet + "-snapshot", ["--merge", path, "--output", output])
            return child.finish()
        }

        /// The newest has the name, the one before it the highest number.
        @Test(arguments: ["anon", "memfd", "grows", "file:"])
        func everyRoundIsThere(memory: String) throws {
            let backing = memory == "file:" ? "file:\(folder.path)/memory" : memory
            let options =
                memory == "grows" ? ["--mem", "4", "--mem-max", "12"] : ["--mem", "4", "--backing", backing]
            let saved = try run(rounds: 5, options)
            #expect(saved.outputText == "5 rounds: ok\n", "\(saved.errorText)")
            #expect(saved.errorText.contains("on top of snapshot.4"), "\(saved.errorText)")
            for (round, path) in [(5, file)] + (1...4).map({ ($0, "\(file).\($0)") }) {
                let ending = try restore(path, ["--verify"])
                #expect(ending.outputText == "round \(round): ok\n", "\(ending.errorText)")
            }
            let merged = try merge(file, into: "\(folder.path)/merged")
            #expect(merged.how == .exited(0), "\(merged.errorText)")
            for number in 1...4 { unsafe unlink("\(file).\(number)") }
            #expect(try restore("\(folder.path)/merged", ["--verify"]).outputText == "round 5: ok\n")
            #expect(try restore(file).isRefusal(mentioning: "snapshot.4, which is not there"))
        }

        /// Longer than a chain may be: a whole file ends it, and what it was made of goes.
        @Test func longSeriesBeginsAgain() throws {
            let saved = try run(rounds: 19)
            #expect(saved.outputText == "19 rounds: ok\n", "\(saved.errorText)")
            #expect(saved.errorText.contains("whole: it ends a chain of 17"), "\(saved.errorText)")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            #expect(names == ["snapshot", "snapshot.1"])
            #expect(try restore(file, ["--verify"]).outputText == "round 19: ok\n")
        }

        /// A restored guest begins a series of its own, and files that others left are not touched.
        @Test func restoredGuestIsSavedInIncrements() throws {
            _ = try folder.file("snapshot.1", Array("mine".utf8))
            let image = House.image("snapshot")
            var child = try House.run(["--snapshot", file, "--snapshot-exit", image, "again"])
            #expect(child.finish().how == .exited(0))
            let second = "\(folder.path)/second"
            var restored = try Child(
                House.bench.swiftlet, ["restore", "--snapshot", second, "--snapshot-incremental", file])
            let ending = restored.finish()
            #expect(ending.outputText == "restored, generation 1\nsaved, generation 1\n", "\(ending.errorText)")
            #expect(try restore(second).outputText == "restored, generation 2\n")
            #expect(try String(contentsOfFile: "\(file).1", encoding: .utf8) == "mine")
        }

        @Test func whatWouldOverwriteAParentIsRefused() throws {
            #expect(try run(rounds: 2).how == .exited(0))
            let parent = "\(folder.path)/./snapshot.1"
            for option in ["--trace", "--profile", "--core", "--snapshot"] {
                #expect(try restore(file, [option, parent]).isRefusal(mentioning: "\(option) would overwrite"))
            }
            #expect(try restore(file, ["--verify", "--snapshot", file]).outputText == "round 2: ok\n")
        }

        @Test func changedParentIsFound() throws {
            #expect(try run(rounds: 3).how == .exited(0))
            var bytes = Array(try Data(contentsOf: URL(filePath: "\(file).1")))
            bytes[bytes.count - 1] ^= 1
            _ = try folder.file("snapshot.1", bytes)
            #expect(
                try restore(file, ["--verify"]).isRefusal(mentioning: "snapshot.1: the snapshot is damaged: its memory")
            )
            #expect(try merge(file, into: file).isRefusal(mentioning: "its memory"))
            _ = try folder.file("snapshot.1", Array(bytes.dropLast(4096)))
            #expect(try restore(file).isRefusal(mentioning: "snapshot.1: the snapshot is cut short"))
            _ = try folder.file("snapshot.1", Array(try Data(contentsOf: URL(filePath: "\(file).2"))))
            #expect(try restore(file).isRefusal(mentioning: "on top of another"))
        }

        /// Three snapshots at random instants of a computation with every register; the last of them goes on.
        @Test func everyRegisterSurvivesInIncrements() throws {
            let command = [House.image("registers"), "4000000", "ticks"]
            var whole = try House.run(["--timeout", "30"] + command)
            let reference = whole.finish()
            #expect(reference.how == .exited(0), "\(reference.errorText)")
            for _ in 0..<max(1, instants / 4) {
                var child = try House.run(["--timeout", "30"] + series + command)
                _ = child.waits(for: "computing")
                for _ in 0..<3 {
                    usleep(useconds_t.random(in: 0...useconds_t(reference.seconds * 3e5)))
                    var asks = try Child(House.bench.swiftlet + "-snapshot", ["\(child.pid)"])
                    _ = asks.finish()
                }
                child.send(SIGKILL)
                let first = child.finish()
                if first.how == .exited(0), !FileManager.default.fileExists(atPath: file) { continue }
                let second = try restore(file, ["--verify"])
                let text = "computing\n" + second.outputText
                #expect(text == reference.outputText, "\(second.errorText)")
                unsafe unlink(file)
            }
        }

        /// Killed while a series is written: the old chain or the new one, and no part of it lost.
        @Test func killLeavesAWholeChain() throws {
            for _ in 0..<instants {
                var child = try House.run(series + [House.image("registers"), "1000000000"])
                let isRunning = child.waits(for: "computing")
                #expect(isRunning)
                child.send(SIGUSR2)
                let isThere = child.waits(for: "snapshot written to")
                #expect(isThere)
                for _ in 0..<3 {
                    child.send(SIGUSR2)
                    usleep(UInt32.random(in: 0...15_000))
                }
                child.send(SIGKILL)
                _ = child.finish()
                let ending = try restore(file, ["--verify", "--timeout=0.02"])
                #expect(ending.how == .exited(124), "\(ending.errorText)")
            }
        }

        @Test func parentThatBecomesShorterEndsItInWords() throws {
            let image = House.image("snapshot")
            var child = try House.run(series + [image, "again"])
            #expect(child.finish().how == .exited(0))
            unsafe rename("\(file)", "\(file).2")
            // The second of two in which nothing but the guest's own pages changed: "untouched" is in the first.
            var restored = try Child(House.bench.swiftlet, ["restore", "--timeout", "30", "\(file).2"])
            #expect(restored.finish().how == .exited(0))
            let isShorter = unsafe truncate("\(file).1", 40960) == 0
            #expect(isShorter)
            #expect(try restore("\(file).2").isRefusal(mentioning: "snapshot.1: the snapshot is cut short"))
        }

        @Test func wrongUsesAreOneLine() throws {
            var run = try House.run(["--snapshot-incremental", House.image("hello")])
            #expect(run.finish().isRefusal(mentioning: "need --snapshot FILE"))
            for arguments in [["--merge", file], ["--output", file], ["1", "--merge", file, "-o", file], []] {
                var child = try Child(House.bench.swiftlet + "-snapshot", arguments)
                #expect(child.finish().isRefusal(mentioning: "PID, or --merge FILE --output NEW"))
            }
            #expect(try merge("\(folder.path)/none", into: file).isRefusal(mentioning: "No such file"))
        }
    }
}
