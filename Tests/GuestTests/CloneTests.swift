// Many guests from one snapshot, in one process and in many: each knows who it is, and all end.
//
// Read next: Sources/swiftlet-clone/Fleet.swift, guests/obey.

import Foundation
import GuestCases
import TestSupport
import Testing

extension House {
    /// Has a guest saved at its snapshot call; the file.
    static func snapshot(_ guest: String, in folder: TestSupport.ScratchFolder) throws -> String {
        let file = "\(folder.path)/\(guest).snapshot"
        if FileManager.default.fileExists(atPath: file) { return file }
        var child = try run(["--timeout", "30", "--snapshot", file, "--snapshot-exit", image(guest)])
        let ending = child.finish()
        #expect(ending.how == .exited(0), "\(ending.errorText)")
        return file
    }
}

extension GuestTests {
    @Suite(.requiresKVM) struct Clones {
        private let folder = TestSupport.ScratchFolder()

        /// What every guest is told to do.
        private func clone(_ order: String?, _ options: [String], guest: String = "obey") throws -> Child {
            let input = try order.map { ["--input", try folder.file("input", Array($0.utf8))] } ?? []
            return try Child(
                House.bench.swiftlet + "-clone", options + input + [try House.snapshot(guest, in: folder)])
        }

        @Test(arguments: [[], ["--processes"], ["--jobs", "2"], ["--processes", "--jobs", "3"]])
        func eachKnowsWhoItIs(options: [String]) throws {
            var child = try clone("who", ["-n", "20"] + options)
            let ending = child.finish(seconds: 60)
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            let lines = ending.outputText.split(separator: "\n").map(String.init)
            #expect(Set(lines) == Set((0..<20).map { "[\($0)] clone \($0) of 20, generation 1" }))
            let place = options.contains("--processes") ? "in a process each" : "in one process"
            #expect(ending.errorText.contains("20 guests \(place): 20 exited with 0\n"), "\(ending.errorText)")
        }

        /// Without --input there is none.
        @Test func inputIsAtItsEnd() throws {
            var child = try clone(nil, ["-n", "2", "--quiet"], guest: "upper")
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.output.isEmpty && ending.error.isEmpty, "\(ending.errorText)")
        }

        /// Guests that write at once have one output, and no line of it is two guests'.
        @Test(arguments: [[], ["--processes"]])
        func linesAreWhole(options: [String]) throws {
            var child = try clone("write 300", ["-n", "8"] + options)
            let ending = child.finish(seconds: 60)
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            var next = Array(repeating: 300, count: 8)
            for line in ending.outputText.split(separator: "\n") {
                let index = line.dropFirst().first.flatMap { Int(String($0)) } ?? 0
                #expect(line == "[\(index)] a line of some length, number \(next[index])")
                next[index] -= 1
            }
            #expect(next == Array(repeating: 0, count: 8))
        }

        @Test(arguments: [[], ["--processes"]])
        func badEndsAreCounted(options: [String]) throws {
            func ending(_ order: String) throws -> Ending {
                var child = try clone(order, ["-n", "3", "--timeout", "0.5"] + options)
                return child.finish(seconds: 60)
            }
            let crash = try ending("crash")
            #expect(crash.how == .exited(1))
            #expect(crash.errorText.contains("guest 2: guest crashed: page fault"), "\(crash.errorText)")
            #expect(crash.errorText.contains(": 3 crashed\n"))
            let slow = try ending("spin")
            #expect(slow.how == .exited(1) && slow.errorText.contains(": 3 timed out\n"), "\(slow.errorText)")
            let status = try ending("exit 7")
            #expect(status.how == .exited(1) && status.errorText.contains(": 3 exited with 7\n"), "\(status.errorText)")
        }

        @Test func eachHasAFileOfItsOwn() throws {
            let output = "\(folder.path)/out"
            defer { try? FileManager.default.removeItem(atPath: output) }
            var child = try clone("who", ["-n", "3", "--output", output])
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.output.isEmpty, "\(ending.errorText)")
            for index in 0..<3 {
                let text = try String(contentsOfFile: "\(output)/\(index).out", encoding: .utf8)
                #expect(text == "clone \(index) of 3, generation 1\n")
            }
        }

        @Test func summaryIsJSONIfAskedFor() throws {
            var child = try clone("exit 5", ["-n", "2", "--json", "--quiet"])
            let ending = child.finish()
            #expect(ending.how == .exited(1))
            let object = try JSONSerialization.jsonObject(with: Data(ending.output)) as? [String: Any]
            let guests = object?["guests"] as? [[String: Any]]
            #expect(object?["count"] as? Int == 2)
            #expect(guests?.map { $0["status"] as? Int } == [5, 5] && guests?[1]["end"] as? String == "exit")
        }

        @Test(arguments: [[], ["--processes"]])
        func ctrlCEndsThemAll(options: [String]) throws {
            var child = try clone("spin", ["-n", "4"] + options)
            usleep(500_000)
            child.send(SIGINT)
            let ending = child.finish(seconds: 60)
            #expect(ending.how == .exited(130), "\(ending.errorText)")
            #expect(ending.errorText.contains("stopped by SIGINT") && ending.errorText.contains("4 guests"))
        }

        @Test func outputThatNobodyReadsEndsThem() throws {
            let snapshot = try House.snapshot("obey", in: folder)
            let input = try folder.file("input", Array("who".utf8))
            let arguments = ["-n", "3", "--input", input, snapshot]
            var child = try Child(House.bench.swiftlet + "-clone", arguments, output: .readerGone)
            let ending = child.finish()
            #expect(ending.how == .exited(141) && ending.errorText.contains("EPIPE"), "\(ending.errorText)")
        }

        @Test func whatCannotBeClonedIsRefused() throws {
            func refusal(_ arguments: String...) throws -> Ending {
                var child = try Child(House.bench.swiftlet + "-clone", arguments)
                return child.finish()
            }
            let snapshot = try House.snapshot("obey", in: folder)
            #expect(try refusal("-n", "2", House.image("hello")).isRefusal(mentioning: "not a snapshot"))
            #expect(try refusal("-n", "0", snapshot).isRefusal(mentioning: "1 to 100000"))
            #expect(try refusal("-n", "2", "--jobs", "0", snapshot).isRefusal(mentioning: "--jobs"))
            #expect(try refusal("-n", "2", "--input", "/none", snapshot).isRefusal(mentioning: "/none"))
            #expect(try refusal("-n", "2", "--output", "/none/at/all", snapshot).isRefusal(mentioning: "/none/at/all"))
            #expect(try refusal("-n", "2", "--output", "", snapshot).isRefusal(mentioning: "--output needs a folder"))
            let device = try refusal("-n", "2", "--input", "/dev/null", snapshot)
            #expect(device.isRefusal(mentioning: "/dev/null: not a regular file"), "\(device.errorText)")
            #expect(try refusal("-n", "2", "/dev/null").isRefusal(mentioning: "/dev/null: not a regular file"))
            #expect(try refusal(snapshot).isRefusal(mentioning: "-n"))
            #expect(try refusal("-n", "2", "--timeout", "x", snapshot).isRefusal(mentioning: "--timeout"))
        }
    }
}
