// Memory of every kind as users of the program see it: options, their errors, a file that shrinks, what --stats tells.
//
// Read next: Sources/Backing/MemoryStore.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Memory {
        /// What --stats tells of memory after a run.
        private func memory(of guest: String, _ options: [String]) throws -> [String: Any] {
            let folder = try ScratchFolder()
            let file = folder.path + "/stats.json"
            var child = try House.run(options + ["--stats=json:\(file)", House.image(guest)])
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: file)))
            return try #require((object as? [String: Any])?["memory"] as? [String: Any])
        }

        private func number(_ object: [String: Any], _ field: String) throws -> Int {
            try #require(object[field] as? Int)
        }

        private func regions(_ memory: [String: Any]) throws -> [[String: Any]] {
            try #require(memory["regions"] as? [[String: Any]])
        }

        @Test(arguments: ["anon", "thp", "memfd", "file"])
        func aPrefaultedMachineIsAllThere(kind: String) throws {
            let folder = try ScratchFolder()
            let backing = kind == "file" ? "file:\(folder.path)/memory" : kind
            let memory = try memory(of: "hello", ["--mem", "16", "--backing", backing, "--prefault=2"])
            #expect(memory["backing"] as? String == kind)
            #expect(try number(memory, "resident") >= 16 << 20 - 0x1_0000)
            for region in try regions(memory) where region["what"] as? String != "machine" {
                #expect(try number(region, "resident") == number(region, "size"))
            }
        }

        @Test func anOrdinaryMachineTouchesLittle() throws {
            let memory = try memory(of: "hello", [])
            #expect(try number(memory, "resident") < 256 << 10)
            let regions = try regions(memory)
            #expect(regions.first?["what"] as? String == "machine")
            #expect(try regions.reduce(0) { $0 + (try number($1, "resident")) } == number(memory, "resident"))
        }

        @Test func grownMemoryAndItsSlotsAreCounted() throws {
            let memory = try memory(of: "grow", ["--mem", "2", "--mem-max", "10"])
            let slots = try #require(memory["slots"] as? [String: Any])
            #expect(try number(slots, "count") == 2 + 4)
            #expect(try number(slots, "bytes") == 2 << 20 - 0x1_0000 + 0x6000 + 8 << 20)
            let last = try #require(regions(memory).last)
            #expect(last["what"] as? String == "grown" && last["size"] as? Int == 8 << 20)
        }

        @Test func whatCannotBeHadIsOneLine() throws {
            let folder = try ScratchFolder()
            let file = try folder.file("memory", Data([1, 2, 3]))
            let lines = [
                (["--backing", "file:\(file)"], "the file exists with 3 bytes, and this machine needs 67108864"),
                (["--backing", "file:\(folder.path)"], "Is a directory"),
                (["--backing", "file:/nowhere/memory"], "No such file or directory"),
                (["--backing", "hugetlb", "--mem", "33"], "no multiple of the 2 MiB of a huge page"),
                (["--mem", "64", "--mem-max", "63"], "--mem-max 63 MiB: from --mem up to 1T"),
                (["--backing", "disk"], "anon, thp, memfd, hugetlb or file:PATH"),
            ]
            for (options, words) in lines {
                var child = try House.run(options + [House.image("hello")])
                let ending = child.finish()
                #expect(ending.isRefusal(mentioning: words), "\(ending.errorText)")
            }
        }

        @Test func aFileThatStaysWholeStopsNobody() throws {
            let folder = try ScratchFolder()
            var child = try Occupation.spinning.start(["--timeout", "0.7", "--backing", "file:\(folder.path)/memory"])
            let ending = child.finish()
            #expect(ending.how == .exited(124), "\(ending.errorText)")
        }

        /// What is mapped is not copied, and an image that shrinks under its guest is a message.
        @Test func anImageThatIsCutShort() throws {
            let mapped = try memory(of: "large-image", ["--map-image"])
            #expect(try number(mapped, "copied") <= 8 << 10, "the page that the guest wrote, and no more of the file")
            let folder = try ScratchFolder()
            let image = try Data(contentsOf: URL(fileURLWithPath: House.image("large-image")))
            let path = try folder.file("image", image)
            var child = try House.run(["--timeout", "10", "--map-image", path, "wait"], input: .open)
            let isWaiting = child.waits(for: "waiting")
            #expect(isWaiting)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == image, "the file stays as it is")
            #expect(unsafe truncate(path, 8192) == 0)
            child.type("go on\n")
            let ending = child.finish()
            #expect(ending.how == .exited(125), "\(ending.errorText)")
            #expect(ending.errorText.contains("cut short while the guest ran"))
        }

        /// A guest computes, or waits in a call that will write to memory, while its memory goes away: a message, never
        /// a SIGBUS.
        @Test(arguments: [Occupation.spinning, .reading])
        func aFileThatIsCutShort(of occupation: Occupation) throws {
            let folder = try ScratchFolder()
            let path = folder.path + "/memory"
            var child = try occupation.start(["--timeout", "10", "--backing", "file:\(path)"])
            #expect(unsafe truncate(path, 0) == 0)
            usleep(100_000)
            if occupation.testDescription == "reads" { child.type("text\n") }
            let ending = child.finish()
            #expect(ending.how == .exited(125), "\(ending.errorText)")
            #expect(ending.errorText.contains("the file that holds guest memory, cut short"))
        }

        /// Sent by somebody, SIGBUS is what it is to any program: no page is gone.
        @Test func aSignalFromOutsideIsNoLoss() throws {
            let folder = try ScratchFolder()
            var child = try Occupation.spinning.start([
                "--timeout", "10", "--backing", "file:\(folder.path)/memory",
            ])
            child.send(SIGBUS)
            let ending = child.finish()
            #expect(ending.how == .killed(signal: SIGBUS), "\(ending.errorText)")
        }
    }
}
