// The files of a report: CSV, raw samples, HdrHistograms, pictures. Each against what its readers take.
//
// Read next: ComparisonTests.swift.

import Foundation
import FoundationXML
import Measure
import Testing

@testable import Subcommand
@testable import swiftlet_bench

@Suite struct CSVTests {
    @Test func everyLineHasEveryColumn() {
        var missing = Row(.port("real"))
        missing.unavailable = "it is \"#GP\", always"
        let report = Report.invented([.invented(.port(), medians: [1000, 2000]), missing])
        let lines = CSV.text(report).split(separator: "\n")
        let data = lines.drop { $0.hasPrefix("#") }
        #expect(lines.first == "# swiftlet-bench-report 2, 2026-11-25T17:33:50Z")
        #expect(data.first?.split(separator: ",").map(String.init) == CSV.columns)
        #expect(data.count == 4)  // the head, two parts, the missing one
        let total = Array(data)[1].split(separator: ",", omittingEmptySubsequences: false)
        #expect(total.count == CSV.columns.count)
        #expect(total[8...10] == ["202", "950", "1050"])
        #expect(total[17...22] == ["1500", "1000", "2000", "1.5", "1", "2"])
        // A "#" begins a comment for pandas, but not within quotes.
        #expect(Array(data)[3].contains("\"it is \"\"#GP\"\", always\""))
        #expect(!data.contains { $0.contains("e-") })
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("a\r\nb", "\"a\r\nb\""), ("#", "\"#\""), ("\"", "\"\"\"\""),
    ])
    func quoting(_ field: String, _ text: String) { #expect(CSV.quoted(field) == text) }

    @Test func rawSamplesAreReadBackAsTheyWere() throws {
        let rows = [Row.invented(.port(), medians: [1000, 2000]), .invented(.port("ring0"), medians: [5.5, 7.25])]
        let report = Report.invented(rows)
        try inScratchFolder { folder in
            let output = try Output("\(folder)/raw.csv")
            try CSV.writeSamples(rows, of: report, to: output)
            try output.finish()
            let bytes = try readFile("\(folder)/raw.csv", limit: samplesLimit)
            let file = try SampleFile(bytes, name: "raw.csv")
            #expect(
                String(decoding: bytes, as: UTF8.self).hasPrefix("# swiftlet-bench-report 2, 2026-11-25T17:33:50Z\n"))
            #expect(file.samples[.init(id: "exits/port-write/ring3", part: "total")] == rows[0].repeats())
            #expect(file.contradiction(report) == nil)
            // Any sample changed, left out or put in is found.
            let text = String(decoding: bytes, as: UTF8.self)
            let changed = text.replacingOccurrences(of: ",0,100,1050\n", with: ",0,100,1051\n")
            #expect(changed != text)
            let short = text.replacingOccurrences(of: "exits/port-write/ring0,handler,1,100,0.573\n", with: "")
            #expect(short != text)
            for wrong in [changed, short, text + "other,total,0,0,5\n"] {
                #expect(try SampleFile(Array(wrong.utf8), name: "").contradiction(report) != nil)
            }
            for broken in ["", "id\n", text + "nonsense\n", text + "exits/port-write/ring3,total,5,0,1\n"] {
                #expect(throws: SubcommandError.self) { try SampleFile(Array(broken.utf8), name: "") }
            }
        }
    }
}

@Suite struct SampleFileTests {
    /// Of three repeats the second has no split.
    @Test func repeatsKeepTheirNumbers() throws {
        var row = Row(.port())
        for turn in 0..<3 {
            var samples = Samples(total: [100, 101])
            if turn != 1 { samples.parts.append((.handler, [Double(turn)])) }
            row.add(samples, floor: 10)
        }
        #expect(row.repeats(.handler) == [[0], [], [2]] && row.medians(.handler) == [0, 2])
        let report = Report.invented([row])
        try inScratchFolder { folder in
            let output = try Output("\(folder)/raw.csv")
            try CSV.writeSamples([row], of: report, to: output)
            try output.finish()
            let bytes = try readFile("\(folder)/raw.csv", limit: samplesLimit)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.contains("\nexits/port-write/ring3,handler,2,0,2\n") && !text.contains(",handler,1,"))
            #expect(try SampleFile(bytes, name: "").contradiction(report) == nil)
            let far = text.replacingOccurrences(of: ",handler,2,", with: ",handler,99999999,")
            #expect(throws: SubcommandError.self) { try SampleFile(Array(far.utf8), name: "") }
        }
    }

    @Test func ratiosMustFollowFromTheMedians() throws {
        let twin = Row.invented(.port("twin"), medians: [500, 1000])
        let rows = [twin, Row.invented(.port { $0.beside = twin.subject.id }, medians: [1000, 2000])]
        try inScratchFolder { folder in
            let output = try Output("\(folder)/raw.csv")
            try CSV.writeSamples(rows, of: .invented(rows), to: output)
            try output.finish()
            let file = try SampleFile(try readFile("\(folder)/raw.csv", limit: samplesLimit), name: "")
            #expect(file.contradiction(.invented(rows)) == nil)
            let changes: [(inout Report) -> Void] = [
                { $0.rows[1].besideRatio = Interval(of: [1.9]) }, { $0.rows[1].besideRatio = nil },
                { $0.rows[1].floorRatio = nil }, { $0.rows[1].floors = [1000] },
                { $0.rows[1].floors = [1000, 1000, 1] },
                { $0.rows[1].beside = "exits/none" },
                { $0.rows[0].parts[0].interval = Interval(of: [1]) ?? $0.rows[0].parts[0].interval },
            ]
            for change in changes { #expect(file.contradiction(.invented(rows, change)) != nil) }
        }
    }

    @Test func tooLargeIsSaid() throws {
        try inScratchFolder { folder in
            try "12345".write(toFile: "\(folder)/f", atomically: true, encoding: .utf8)
            #expect(try readFile("\(folder)/f", limit: 5).count == 5)
            do throws(SubcommandError) { _ = try readFile("\(folder)/f", limit: 4) } catch {
                #expect(error.message == "bench: \(folder)/f: too large: more than 4 bytes")
                return
            }
            Issue.record("it was read")
        }
    }
}

@Suite struct HistogramFileTests {
    /// 1 to 10 us: by hand. With one half-distance in five steps the levels are 0, 0.1, ... 0.5, 0.55, ... 0.75, ...; a value
    /// is the highest that the histogram does not tell from a sample.
    @Test func percentilesByHand() throws {
        let lines = histogramText((1...10).map { Double($0) * 1000 }, unit: .nanoseconds).split(separator: "\n")
        let head = try #require(lines.first)
        #expect(head.split(separator: " ") == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"])
        let data = lines.dropFirst().filter { !$0.hasPrefix("#") }.map {
            $0.split(separator: " ").compactMap { Double($0) }
        }
        // The first line is the smallest sample, the last the largest and has no 1/(1-p).
        #expect(data.first.map { [$0[1], $0[2], $0[3]] } == [0, 1, 1])
        #expect(data.last?.count == 3)
        #expect(data.last.map { [$0[1], $0[2]] } == [1, 10])
        for line in data {
            // A tenth of the samples is at or below each thousand, to three digits.
            let count = (line[1] * 10).rounded(.up)
            #expect(abs(line[0] / (max(count, 1) * 1000) - 1) < 0.001, "\(line)")
            #expect(line[2] == max(count, 1))
        }
        #expect(lines.contains { $0.hasPrefix("#[Mean    =     ") }, "\(lines.suffix(4))")
        #expect(lines.contains { $0.contains("Total count    =           10") })
        #expect(lines.last == "#[Unit    = ns]")
    }

    @Test func whatIsBelowZeroIsCounted() {
        let text = histogramText([-5, -0.5, 3], unit: .nanoseconds, comments: ["a host\u{1b}"])
        #expect(text.hasPrefix("# a host?\n# 2 of 3 samples are below zero: here they are 0\n"))
        #expect(!histogramText([0, 3], unit: .nanoseconds).contains("below zero"))
    }

    @Test func aBatchOfFractionsKeepsItsDigits() {
        #expect(histogramText([0.274], unit: .nanoseconds).contains("       0.274 0.000000000000          1"))
    }

    @Test func namesAreFileNames() {
        #expect(fileName("exits/port-write/ring3.total") == "exits.port-write.ring3.total")
        #expect(fileName("a b/../\u{1b}ä") == "a_b....__")
    }
}

@Suite struct PictureTests {
    private func pictures(_ rows: [Row]) -> [Picture] {
        Pictures.all(.invented(rows) { $0.method.warnings = $0.method.warnings($0.environment) }, rows)
    }

    @Test func allAreWellFormedAndStamped() {
        let rows = ["ring3", "ring0", "a<b>&\"c\""].map { Row.invented(.port($0), medians: [1000, 40_000]) }
        let bandwidth = Row.invented(
            Subject(.memory, "bandwidth", "bandwidth", "guest", .guest), medians: [9000])
        let pictures = pictures(rows + [bandwidth])
        #expect(
            pictures.map(\.name) == [
                "overview-exits", "overview-memory", "exits.port-write.percentiles", "exits.port-write.distribution",
                "memory.bandwidth.percentiles", "memory.bandwidth.distribution",
            ])
        for picture in pictures {
            let parser = XMLParser(data: Data(picture.svg.utf8))
            #expect(parser.parse(), "\(picture.name): \(String(describing: parser.parserError))")
            #expect(picture.svg.contains("software KVM: not representative of VT-x or SVM"))
            #expect(picture.svg.contains("Example 3000, Linux"))
            #expect(!picture.svg.contains("nan") && !picture.svg.contains("inf\""))
        }
        #expect(pictures[2].svg.contains("a&lt;b&gt;&amp;&quot;c&quot;"))
    }

    @Test(arguments: [[0.0], [5], [0, 0, 0], [1e-3, 1e12], [7, 7, 7, 7]])
    func oddSamplesMakeSoundPictures(_ samples: [Double]) {
        var row = Row(.port())
        row.add(Samples(total: samples), floor: 1)
        for picture in pictures([row]) {
            #expect(XMLParser(data: Data(picture.svg.utf8)).parse())
            #expect(!picture.svg.contains("nan"), "\(picture.name)")
        }
    }

    @Test func rowsWithoutSamplesAreNotDrawn() {
        var missing = Row(.port())
        missing.unavailable = "no"
        #expect(pictures([missing]).isEmpty)
    }

    @Test func ticksAreRoundAndWithinTheAxis() {
        let decades = LogScale([20, 4_000_000], pixels: (0, 100))
        #expect(decades.ticks.map { tickLabel($0, .nanoseconds) } == ["100 ns", "1 us", "10 us", "100 us", "1 ms"])
        let narrow = LogScale([25_000, 26_000], pixels: (0, 100))
        #expect(narrow.ticks.count >= 4 && narrow.ticks.allSatisfy { $0 >= narrow.low && $0 <= narrow.high })
        #expect(narrow.ticks.map { tickLabel($0, .nanoseconds) }.contains("25 us"))
        #expect(tickLabel(50_000, .mebibytesPerSecond) == "50000")
        #expect(decades(decades.low) == 0 && decades(decades.high) == 100)
    }

    @Test func percentilesAreAtEqualDistances() {
        let scale = PercentileScale(samples: 10_000, pixels: (0, 400))
        for (part, at) in [(0.0, 0.0), (0.9, 100), (0.99, 200), (0.999, 300), (0.9999, 400), (1, 400)] {
            #expect(abs(scale(part) - at) < 0.01)
        }
    }
}
