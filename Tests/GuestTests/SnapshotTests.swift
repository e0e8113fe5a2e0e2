// A guest that is saved at any instant goes on in another process as if nothing had been.
//
// SWIFTLET_SNAPSHOTS=1000 in the environment (`make snapshot-test`) has the random instants be that many.
// Read next: guests/registers, guests/snapshot.

import Foundation
import GuestCases
import TestSupport
import Testing

/// How often a random instant is tried.
private let instants = ProcessInfo.processInfo.environment["SWIFTLET_SNAPSHOTS"].flatMap { Int($0) } ?? 20

extension GuestTests {
    @Suite(.requiresKVM) struct Snapshots {
        private let folder = TestSupport.ScratchFolder()
        private var file: String { "\(folder.path)/snapshot" }

        private func restore(
            _ path: String, _ options: [String] = [], input: ChildInput = .null
        ) throws -> Child {
            try Child(House.bench.swiftlet, ["restore", "--timeout", "30"] + options + [path], input: input)
        }

        /// Runs a guest and has it saved after some seconds; what it had said until then.
        private func save(
            _ arguments: [String], after seconds: Double, behind word: String? = nil, input: ChildInput = .null,
            output: ChildOutput = .captured
        ) throws -> Ending {
            let options = ["--timeout", "30", "--snapshot", file, "--snapshot-exit"]
            var child = try House.run(options + arguments, input: input, output: output)
            if let word { _ = child.waits(for: word) }
            usleep(useconds_t(seconds * 1e6))
            child.send(SIGUSR2)
            return child.finish()
        }

        /// Whole computations and interrupted ones must come to the same digest of all registers.
        @Test(arguments: [["4000000"], ["4000000", "ticks"]])
        func everyRegisterSurvivesAnyInstant(arguments: [String]) throws {
            let command = [House.image("registers")] + arguments
            var whole = try House.run(["--timeout", "30"] + command)
            let reference = whole.finish()
            #expect(reference.how == .exited(0), "\(reference.errorText)")
            var (inTheMiddle, span) = (0, reference.seconds * 0.8)
            for _ in 0..<instants {
                let first = try save(command, after: Double.random(in: 0...span), behind: "computing")
                if first.output == reference.output {  // it was done before: the first run was a slow one
                    span *= 0.7
                    continue
                }
                #expect(first.how == .exited(0), "\(first.errorText)")
                if first.outputText.contains("computing") { inTheMiddle += 1 }
                var child = try restore(file)
                let second = child.finish()
                #expect(second.how == .exited(0), "\(second.errorText)")
                #expect(first.output + second.output == reference.output)
                unsafe unlink(file)
            }
            #expect(inTheMiddle * 3 > instants, "most instants are inside the computation")
        }

        /// Of several vCPUs, wherever each of them was: in the guest, asleep, in a commit, or not started yet.
        @Test(arguments: [2, 4])
        func severalVCPUsSurviveAnyInstant(count: Int) throws {
            let command = ["--cpus", "\(count)", House.image("cpus-snapshot"), "40000000"]
            var whole = try House.run(["--timeout", "30"] + command)
            let reference = whole.finish()
            #expect(reference.how == .exited(0), "\(reference.errorText)")
            var (inTheMiddle, span) = (0, reference.seconds * 0.8)
            for _ in 0..<instants {
                let first = try save(command, after: Double.random(in: 0...span), behind: "computing")
                if first.output == reference.output {
                    span *= 0.7
                    continue
                }
                #expect(first.how == .exited(0), "\(first.errorText)")
                inTheMiddle += 1
                var child = try restore(file)
                let second = child.finish()
                #expect(second.how == .exited(0), "\(second.errorText)")
                #expect(first.output + second.output == reference.output)
                unsafe unlink(file)
            }
            #expect(inTheMiddle * 3 > instants, "most instants are inside the computation")
        }

        @Test func aGuestOfSeveralVCPUsIsNotCloned() throws {
            let command = [
                "--cpus", "2", "--snapshot", file, "--snapshot-exit", House.image("cpus-snapshot"), "3000000", "all",
            ]
            var child = try House.run(command)
            #expect(child.finish().how == .exited(0))
            var clone = try Child(House.bench.swiftlet, ["clone", "-n", "2", file])
            let ending = clone.finish()
            #expect(ending.how != .exited(0))
            #expect(ending.errorText.contains("a guest with several vCPUs"), "\(ending.errorText)")
        }

        @Test func sleepGoesOn() throws {
            #expect(try save([House.image("sleep"), "400"], after: 0.1).outputText == "")
            var child = try restore(file)
            let ending = child.finish()
            #expect(ending.outputText == "slept 400 ms\n", "\(ending.errorText)")
            #expect(ending.seconds > 0.15, "the time that it was a file does not count")
        }

        @Test func readGoesOn() throws {
            #expect(try save([House.image("echo")], after: 0.2, input: .open).how == .exited(0))
            var child = try restore(file, input: .bytes(Array("typed later".utf8)))
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText == "typed later")
        }

        /// What standard output has taken is not written again, and what it has not is.
        @Test func writeGoesOn() throws {
            let text = (0..<40000).map { "\($0)\n" }.joined()
            let input = try folder.file("input", Array(text.utf8))
            let pipe = "\(folder.path)/pipe"
            let isMade = unsafe mkfifo(pipe, 0o600) == 0
            #expect(isMade)
            // The pipe is full then, and the guest waits in the middle of a write.
            let script =
                "exec 3<>\"$3\"; \"$0\" run --snapshot \"$2\" --snapshot-exit \"$1\" <\"$4\" >\"$3\" & p=$!; "
                + "sleep 0.4; kill -USR2 $p; wait $p; timeout 1 cat <&3"
            let arguments = ["-c", script, House.bench.swiftlet, House.image("echo"), file, pipe, input]
            var shell = try Child("/bin/sh", arguments)
            let start = shell.finish().output
            unsafe unlink(pipe)
            var child = try restore(file)
            let rest = child.finish().output
            #expect(start.count >= 65536 && !rest.isEmpty)
            #expect(Array(text.utf8).starts(with: start + rest))
        }

        @Test func guestsCallMakesOne() throws {
            let image = House.image("snapshot")
            var child = try House.run(["--snapshot", file, image, "again"])
            #expect(child.finish().outputText == "saved, generation 0\nsaved, generation 0\n")
            var restored = try restore(file, ["--verify"])
            let ending = restored.finish()
            #expect(ending.outputText == "restored, generation 1\n", "\(ending.errorText)")
        }

        /// Whatever it is made of. A page given back by a restored guest is zero, not what the file holds.
        @Test(arguments: ["anon", "thp", "memfd", "file:"])
        func memoryOfEachKindIsSavedAndReclaimed(backing: String) throws {
            let kind = backing == "file:" ? "file:\(folder.path)/memory" : backing
            let options = ["--backing", kind, "--mem", "16", "--snapshot", file, "--snapshot-exit"]
            var child = try House.run(options + [House.image("reclaim"), "save"])
            let first = child.finish()
            #expect(first.how == .exited(0) && first.output.isEmpty, "\(first.errorText)")
            let second = "\(folder.path)/second"
            var restored = try restore(file, ["--verify", "--snapshot", second])
            let ending = restored.finish()
            #expect(ending.outputText == "reclaim: ok\n", "\(ending.errorText)")
            var last = try restore(second, ["--verify"])
            #expect(last.finish().outputText == "reclaim: ok\n")
        }

        /// Before its first grant, between two, and when there is no more: the restored guest asks on, up to the same maximum.
        @Test(arguments: [0, 1, 5, 16])
        func grownMemoryGoesOnGrowing(grants: Int) throws {
            let options = ["--mem", "2", "--mem-max", "34", "--snapshot", file, "--snapshot-exit"]
            var child = try House.run(options + [House.image("grow"), "save", "\(grants)"])
            let first = child.finish()
            #expect(first.how == .exited(0) && first.output.isEmpty, "\(first.errorText)")
            let second = "\(folder.path)/second"
            var restored = try restore(file, ["--verify", "--snapshot", second, "--snapshot-exit"])
            let middle = restored.finish()
            #expect(middle.how == .exited(0) && middle.output.isEmpty, "\(middle.errorText)")
            var last = try restore(second, ["--verify"])
            let ending = last.finish()
            #expect(ending.outputText == "grow: 2 MiB to 34 MiB\n", "\(ending.errorText)")
        }

        /// Also the parts of it that nobody has touched.
        @Test func mappedImageIsSaved() throws {
            let options = ["--map-image", "--snapshot", file, "--snapshot-exit"]
            var child = try House.run(options + [House.image("large-image"), "save"])
            #expect(child.finish().how == .exited(0))
            var restored = try restore(file)
            let ending = restored.finish()
            #expect(ending.outputText == "large-image: ok\n", "\(ending.errorText)")
        }

        @Test func restoredGuestIsSavedAgain() throws {
            var child = try House.run(["--snapshot", file, "--snapshot-exit", House.image("snapshot"), "again"])
            let first = child.finish()
            #expect(first.how == .exited(0) && first.output.isEmpty)
            let second = "\(folder.path)/second"
            var restored = try restore(file, ["--snapshot", second, "--snapshot-exit"])
            #expect(restored.finish().outputText == "restored, generation 1\n")
            var last = try restore(second)
            #expect(last.finish().outputText == "restored, generation 2\n")
        }

        @Test func crashReportHasSymbols() throws {
            let image = "\(folder.path)/image.elf"
            try FileManager.default.copyItem(atPath: House.image("snapshot"), toPath: image)
            var child = try House.run(["--snapshot", file, image, "crash"])
            #expect(child.finish().how == .exited(126))
            var restored = try restore(file)
            let ending = restored.finish()
            #expect(ending.how == .exited(126))
            #expect(ending.errorText.contains("main+0x"), "\(ending.errorText)")
            // Another image of that name has other symbols.
            _ = try folder.file("image.elf", Array(try Data(contentsOf: URL(filePath: image))) + [0])
            var other = try restore(file)
            #expect(other.finish().errorText.contains("no symbol there"))
        }

        @Test func guestThatIsSavedGoesOn() throws {
            var child = try House.run(["--snapshot", file, House.image("sleep"), "600"])
            usleep(200_000)
            child.send(SIGUSR2)
            let isWritten = child.waits(for: "snapshot written to")
            #expect(isWritten)
            child.send(SIGUSR2)
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText == "slept 600 ms\n")
        }

        @Test func commandAsksForOne() throws {
            let command = House.bench.swiftlet + "-snapshot"
            var child = try House.run(["--snapshot", file, House.image("spin")])
            usleep(200_000)
            var asks = try Child(command, ["\(child.pid)"])
            let answer = asks.finish()
            #expect(answer.how == .exited(0), "\(answer.errorText)")
            #expect(answer.outputText == file + "\n")
            child.send(SIGTERM)
            #expect(child.finish().how == .exited(128 + SIGTERM), "it goes on, and still stops")
            var other = try House.run([House.image("spin")])
            usleep(100_000)
            var refused = try Child(command, ["\(other.pid)"])
            #expect(refused.finish().isRefusal(mentioning: "was not started with --snapshot"))
            other.send(SIGUSR2)
            #expect(other.finish().how == .exited(128 + SIGUSR2), "without a file it is a stop signal")
        }

        /// The command need not wait until its time is over, and the guest goes on.
        @Test(arguments: ["run", "restore"])
        func commandIsToldWhyThereIsNone(way: String) throws {
            let target = folder.path + "/target"
            var arguments = ["run", "--snapshot", target, House.image("spin")]
            if way == "restore" {
                _ = try save([House.image("spin")], after: 0.1)
                arguments = ["restore", "--snapshot", target, file]
            }
            var child = try Child(House.bench.swiftlet, arguments)
            usleep(200_000)
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
            for _ in 0..<2 {
                var asks = try Child(House.bench.swiftlet + "-snapshot", ["--timeout", "25", "\(child.pid)"])
                let answer = asks.finish(seconds: 20)
                #expect(answer.isRefusal(mentioning: "could not write it: \(target): "))
            }
            try FileManager.default.removeItem(atPath: target)
            var asks = try Child(House.bench.swiftlet + "-snapshot", ["\(child.pid)"])
            #expect(asks.finish().outputText == target + "\n")
            child.send(SIGTERM)
            #expect(child.finish().how == .exited(128 + SIGTERM))
        }

        /// Whatever the image's path is spelt like, nothing of it is looked for when the sandbox is closed.
        @Test func imageIsNamedThroughTheFolderAbove() throws {
            let image = URL(fileURLWithPath: House.image("upper"))
            let folderAbove = image.deletingLastPathComponent().path + "/../"
            let path = folderAbove + image.deletingLastPathComponent().lastPathComponent + "/" + image.lastPathComponent
            var child = try House.run(["--snapshot", file, "--snapshot-exit", path])
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            var again = try restore(file, input: .bytes(Array("hi".utf8)))
            #expect(again.finish().outputText == "HI")
        }

        /// A fifo here; a device could not be had back.
        @Test func snapshotTakesThePlaceOfFilesOnly() throws {
            let fifo = folder.path + "/fifo"
            #expect(unsafe mkfifo(fifo, 0o600) == 0)
            var child = try House.run(["--snapshot", fifo, "--snapshot-exit", House.image("upper")])
            #expect(child.finish().isRefusal(mentioning: "--snapshot \(fifo), which is no regular file"))
            _ = try save([House.image("spin")], after: 0.1)
            var merges = try Child(House.bench.swiftlet + "-snapshot", ["--merge", file, "--output", fifo])
            #expect(merges.finish().isRefusal(mentioning: "\(fifo), which is no regular file"))
            var status = stat()
            #expect(unsafe stat(fifo, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        }

        @Test func mergeThatBecomesTooLargeLeavesNothing() throws {
            _ = try save([House.image("spin")], after: 0.1)
            let output = folder.path + "/merged"
            let merge = [House.bench.swiftlet + "-snapshot", "--merge", file, "--output", output]
            var child = try Child("/usr/bin/prlimit", ["--fsize=512"] + merge)
            #expect(child.finish().isRefusal(mentioning: "File too large"))
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(!left.contains { $0.hasPrefix("merged") })
        }

        @Test func restoreEndsAtItsTimeLimit() throws {
            _ = try save([House.image("spin")], after: 0.1)
            var child = try Child(House.bench.swiftlet, ["restore", "--timeout=0.3", file])
            #expect(child.finish(seconds: 10).how == .exited(124))
        }

        @Test func whatIsNoSnapshotIsRefused() throws {
            for path in [House.image("hello"), folder.path, "/dev/null", "\(folder.path)/none"] {
                var child = try restore(path)
                let ending = child.finish()
                #expect(ending.isRefusal(mentioning: path), "\(ending.errorText)")
            }
        }

        @Test func changedMemoryIsFoundWhenAskedFor() throws {
            _ = try save([House.image("spin")], after: 0.1)
            var bytes = Array(try Data(contentsOf: URL(filePath: file)))
            bytes[bytes.count - 1] ^= 1
            let path = try folder.file("changed", bytes)
            var child = try restore(path, ["--verify"])
            let ending = child.finish()
            #expect(ending.isRefusal(mentioning: "memory at 0x"), "\(ending.errorText)")
        }

        /// The guest touches a page that is gone ("touch": KVM says EFAULT), or has us touch it ("log": SIGBUS): whoever
        /// notices it first says so.
        @Test(arguments: ["touch", "log"])
        func fileThatBecomesShorterEndsItInWords(who: String) throws {
            var child = try House.run(["--snapshot", file, "--snapshot-exit", House.image("snapshot"), who])
            #expect(child.finish().how == .exited(0))
            var restored = try restore(file)
            let isUnderWay = restored.waits(for: "restored")
            #expect(isUnderWay)
            let isShorter = unsafe truncate(file, 40960) == 0
            #expect(isShorter)
            let ending = restored.finish()
            #expect(ending.how == .exited(125), "\(ending.errorText)")
            let words = ["became shorter", "cut short"]
            #expect(words.contains { ending.errorText.contains($0) }, "\(ending.errorText)")
        }

        /// A script that makes a snapshot must not go on without one, whatever the guest says.
        @Test func endWithoutTheSnapshotThatWasToEndItIsAnError() throws {
            func end(_ path: String, _ image: String) throws -> Ending {
                var child = try House.run(["--snapshot", path, "--snapshot-exit", House.image(image)])
                return child.finish()
            }
            let unasked = try end(file, "hello")
            #expect(unasked.how == .exited(125), "\(unasked.errorText)")
            #expect(unasked.errorText.contains("no snapshot was written (--snapshot-exit)"), "\(unasked.errorText)")
            let unwritable = try end("\(folder.path)/none/file", "ready")
            #expect(unwritable.how == .exited(125), "\(unwritable.errorText)")
            #expect(unwritable.errorText.contains("none/file"), "\(unwritable.errorText)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty, "nothing is left")
        }

        /// Killed at any point of writing: the old file or the new one.
        @Test func killLeavesTheOldFileOrTheNewOne() throws {
            _ = try save([House.image("registers"), "1000000000"], after: 0.05)
            for _ in 0..<instants {
                var child = try House.run(["--snapshot", file, House.image("registers"), "1000000000"])
                usleep(20_000)
                child.send(SIGUSR2)
                usleep(UInt32.random(in: 0...15_000))
                child.send(SIGKILL)
                _ = child.finish()
                var restored = try restore(file, ["--verify", "--timeout=0.02"])
                let ending = restored.finish()
                #expect(ending.how == .exited(124), "\(ending.errorText)")
            }
        }
    }
}
