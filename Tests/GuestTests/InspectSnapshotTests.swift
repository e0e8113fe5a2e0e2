// `swiftlet inspect` of a snapshot: what is in the file and in those below it, and the errors of `swiftlet restore`.
//
// Read next: Sources/Snapshot/Description.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct InspectedSnapshots {
        private let folder = TestSupport.ScratchFolder()
        private var file: String { "\(folder.path)/snapshot" }

        private func inspect(_ arguments: [String]) throws -> Ending {
            var child = try Child(House.bench.swiftlet + "-inspect", arguments)
            return child.finish()
        }

        private func save(_ rounds: Int) throws {
            let options = ["--mem", "4", "--mem-max", "12", "--snapshot", file, "--snapshot-incremental"]
            var child = try House.run(
                options + [House.image("increments"), "\(rounds)"],
                input: .bytes(Array(repeating: 0x78, count: 6 * rounds))
            )
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
        }

        @Test func chainIsDescribed() throws {
            try save(3)
            let ending = try inspect(["--json", file])
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(ending.output)) as? [String: Any])
            #expect(object["kind"] as? String == "snapshot" && object["runnable"] as? Bool == true)
            let snapshot = try #require(object["snapshot"] as? [String: Any])
            #expect(snapshot["image"] as? String == House.image("increments"))
            #expect(snapshot["memory_size"] as? Int == 4 << 20 && snapshot["memory_max"] as? Int == 12 << 20)
            #expect(snapshot["memory_now"] as? Int == 10 << 20)
            let parts = try #require(snapshot["parts"] as? [[String: Any]])
            #expect(parts.map { $0["file"] as? String } == [file, "\(file).2", "\(file).1"])
            #expect(Set(parts.compactMap { $0["identity"] as? String }).count == 3)
            let saved = try #require(snapshot["saved"] as? [[String: Any]])
            #expect(saved.contains { $0["offset"] == nil }, "pages that became zero")
            let text = try inspect([file]).outputText
            #expect(text.contains("grown to 10 MiB") && text.contains("can be restored: swiftlet restore \(file)"))
        }

        @Test func errorsAreThoseOfRestore() throws {
            try save(2)
            unsafe unlink("\(file).1")
            let missing = try inspect([file])
            #expect(missing.how == .exited(1))
            #expect(missing.outputText.contains("cannot be restored: \(file): the snapshot was written on top of"))
            _ = try folder.file("cut", Array(try Data(contentsOf: URL(filePath: file)).prefix(9000)))
            #expect(
                try inspect(["\(folder.path)/cut"]).outputText.contains("the snapshot is cut short: it has 9000 of"))
            _ = try folder.file("short", Array("SLFTSNAP".utf8))
            #expect(try inspect(["\(folder.path)/short"]).how == .exited(1))
        }

        /// They would plan another machine than the one that was saved.
        @Test(arguments: ["--mem=4", "--mem-max=8", "--backing=thp", "--module=/bin/sh"])
        func optionsOfImagesAreRefused(option: String) throws {
            let name = String(option.prefix { $0 != "=" })
            _ = try folder.file("short", Array("SLFTSNAP".utf8))
            #expect(
                try inspect([option, "\(folder.path)/short"]).isRefusal(mentioning: "inspect: \(name) is for images"))
        }
    }
}
