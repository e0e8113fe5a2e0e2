// The command lines of what measures and compares; where results may go.
//
// Read next: Sources/swiftlet-bench/MeasureOptions.swift.

import Foundation
import Synchronization
import Testing

@testable import Subcommand
@testable import swiftlet_bench

@Suite struct OptionTests {
    private func options(_ arguments: String...) throws -> MeasureOptions {
        try #require(try ExitsCommand.parseAsRoot(arguments) as? ExitsCommand).options
    }

    @Test func tenRepeatsUnlessItIsQuick() throws {
        #expect(try options().amount.repeats == 10)
        #expect(try options().amount.samples.samples == 1000)
        #expect(try options("--quick").amount.repeats == 2)
        #expect(try options("--quick", "--repeats", "1", "--samples", "5").amount.samples.samples == 5)
        for wrong in [
            ["--repeats", "9"], ["--quick", "--repeats", "0"], ["--samples", "0"], ["--samples", "1000001"],
        ] {
            #expect(throws: (any Error).self) { try ExitsCommand.parseAsRoot(wrong) }
        }
    }

    @Test func onlyMayBeGivenMoreThanOnce() throws {
        let options = try options("--only", "port", "--only", "ring0")
        #expect(options.isWanted(.port("x")) && !options.isWanted(Subject(.exits, "hlt", "HLT", "ring3", .user)))
        #expect(options.isWanted(Subject(.exits, "hlt", "HLT", "ring0", .user)))
        #expect(try self.options().isWanted(.port()))
    }

    @Test func rowsCanBeListed() {
        #expect(MeasureOptions.list([.port()]) == "exits/port-write/ring3  port write (OUT)  user\n")
    }

    @Test func comparisonsNeedASensibleThreshold() {
        for wrong in ["0", "-1", "1000", "nan"] {
            #expect(throws: (any Error).self) { try CompareCommand.parseAsRoot(["--threshold=\(wrong)", "a", "b"]) }
        }
    }
}

@Suite struct ReportFilesTests {
    private func files(
        json: String? = nil, csv: String? = nil, raw: String? = nil, hgrm: String? = nil, all: String? = nil
    ) throws
        -> ReportFiles
    {
        try ReportFiles(json: json, csv: csv, raw: raw, histograms: hgrm, pictures: nil, all: all)
    }

    @Test func aWrongPathIsFoundBeforeAnythingIsMeasured() throws {
        try inScratchFolder { folder in
            try "".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
            for wrong in ["\(folder)/no/report.json", folder, "\(folder)/file/x"] {
                #expect(throws: SubcommandError.self, "\(wrong)") { try files(json: wrong) }
            }
            #expect(throws: SubcommandError.self) { try files(hgrm: "\(folder)/file") }
            #expect(throws: SubcommandError.self) { try files(all: "\(folder)/file/deep") }
        }
    }

    @Test func standardOutputTakesOneOfThem() throws {
        #expect(try files(json: "-").useStandardOutput)
        #expect(try !files().useStandardOutput)
        #expect(try files(raw: "-").useStandardOutput)
        #expect(throws: SubcommandError.self) { try files(json: "-", csv: "-") }
        #expect(throws: SubcommandError.self) { try files(csv: "-", raw: "-") }
    }

    @Test func aFullDiskIsAnErrorWithAName() throws {
        let output = try Output("/dev/full")
        try output.write("x")
        #expect(throws: SubcommandError.self) { try output.finish() }
        do { try output.finish() } catch { #expect(error.message == "bench: /dev/full: No space left on device") }
    }

    /// A pipe given by its path is opened without blocking, and holds 64 KiB.
    @Test func aSlowReaderGetsAllOfIt() throws {
        let pipe = Pipe()
        let text = String(repeating: "0123456789abcdef", count: 20_000)
        let output = try Output("/proc/self/fd/\(pipe.fileHandleForWriting.fileDescriptor)")
        try output.write(text)
        let reader = Thread { [handle = pipe.fileHandleForReading] in
            usleep(100_000)
            received.withLock { $0 = handle.readData(ofLength: text.utf8.count) }
        }
        reader.start()
        try output.finish()
        while !reader.isFinished { usleep(1000) }
        #expect(received.withLock { $0 } == Data(text.utf8))
    }
}

private let received = Mutex(Data())
