// The report: what its rows say of invented samples, and that its JSON is what docs/bench-schema.json says.
//
// Read next: ReportTableTests.swift.

import Foundation
import Measure
import Testing

@testable import Subcommand
@testable import swiftlet_bench

@Suite struct ReportRowTests {
    @Test func intervalsAreOverTheRepeatsAndPercentilesOverAllSamples() throws {
        let row = ReportRow(Row.invented(.port(), medians: (1...10).map { Double($0) * 1000 }))
        let total = try #require(row.total)
        #expect(total.medians == (1...10).map { Double($0) * 1000 })
        // With ten repeats from the second to the ninth.
        #expect((total.interval.median, total.interval.low, total.interval.high) == (5500, 2000, 9000))
        #expect((total.distribution.n, total.distribution.min, total.distribution.max) == (1010, 950, 10050))
        #expect(row.floorRatio?.median == 5.5)
        #expect(row.part(.handler)?.distribution.n == 1010)
        #expect(row.part(.toHost) == nil)
    }

    @Test func besideIsComparedRepeatByRepeat() {
        let reference = Row.invented(.port("twin"), medians: [100, 200, 400, 800, 1600, 100, 200, 400, 800, 1600])
        let subject = Subject.port { $0.beside = reference.subject.id }
        let row = Row.invented(subject, medians: [110, 220, 440, 880, 1760, 110, 220, 440, 880, 1760])
        let report = Report.invented([reference, row])
        let ratio = report.rows[1].besideRatio
        #expect(ratio.map { abs($0.low - 1.1) < 1e-12 && abs($0.high - 1.1) < 1e-12 } == true)
        #expect(report.rows[0].besideRatio == nil)
    }

    @Test func samplesAreRoundedToWhatAClockTells() {
        var row = Row(.port())
        row.add(Samples(total: [1234.56789, 12.3456789, 0.0004]), floor: 1)
        #expect(row.repeats() == [[1234.6, 12.346, 0]])
    }

    @Test func operationsKeepTheirOrderAndWhatIsMissingComesLast() {
        var missing = Row(.port("real"))
        missing.unavailable = "no"
        let other = Row.invented(Subject(.exits, "clock", "nothing", "ring3", .guest), medians: [1, 2])
        let report = Report.invented([missing, other, .invented(.port(), medians: [1, 2])])
        #expect(report.rows.operations.map(\.what) == ["port write (OUT)", "nothing"])
        #expect(report.rows.operations[0].rows.map(\.variant) == ["ring3", "real"])
        #expect(report.rows[0].absence == "not here: no")
    }
}

@Suite struct ReportJSONTests {
    private static var everything: Report {
        var missing = Row(.port("real"))
        missing.unavailable = "real mode reaches 1 MiB, \"and\" no more"
        var failed = Row(.port("ring0") { $0.note = "a note" })
        failed.failed = "errno 22"
        let bandwidth = Row.invented(
            Subject.port("bandwidth") {
                $0.unit = .mebibytesPerSecond
                $0.hasFloor = false
                $0.operations = 64
                $0.beside = "exits/port-write/ring3"
            }, medians: [1, 2, 3])
        let looks = ["1.00 0 0 1/1 1", "2.00 0 0 1/1 1"].map { load in
            HostActivity(cpu: 1, HostFiles(text: { $0 == "/proc/loadavg" ? load : nil }))
        }
        return .invented([.invented(.port(), medians: [1000, 2000, 3000]), bandwidth, missing, failed]) {
            $0.method.noise = Noise(looks, seconds: 2)
            $0.method.otherCpu = 0
            $0.environment.mitigations = ["spectre_v2": "Mitigation: Retpolines"]
            $0.environment.hugePages = ["hugepages-2048kB": 4]
            $0.environment.parameters = ["kvm.halt_poll_ns": "200000"]
            $0.environment.bootOptions = ["isolcpus=1"]
        }
    }

    @Test func whatIsWrittenCanBeReadAgain() throws {
        let report = Self.everything
        let text = try JSON.text(report)
        #expect(try Report(json: Array(text.utf8), name: "it") == report)
    }

    @Test func itIsWhatTheSchemaSays() throws {
        let schema = try Schema(try repositoryFile("docs/bench-schema.json"))
        #expect(try schema.faults(try JSON.text(Self.everything)) == [])
    }

    /// A schema that takes anything says nothing.
    @Test(arguments: [
        ("\"version\" : 2", "\"version\" : 3"), ("\"cpus\"", "\"cores\""),
        ("\"place\" : \"user\"", "\"place\" : \"moon\""),
        ("\"started\" : \"2026", "\"started\" : \"26"), ("\"is_quick\" : false", "\"is_quick\" : 0"),
        ("\"repeats\" : 10", "\"repeats\" : 0"), ("\"load\"", "\"Load\""), ("\"n\" : 303", "\"n\" : \"many\""),
        ("\"unit\" : \"ns\"", "\"unit\" : \"us\""), ("\"id\" : \"exits/", "\"id\" : \"exit/"),
    ])
    func theSchemaRefuses(_ right: String, _ wrong: String) throws {
        let schema = try Schema(try repositoryFile("docs/bench-schema.json"))
        let text = try JSON.text(Self.everything)
        #expect(text.contains(right))
        #expect(try schema.faults(text.replacingOccurrences(of: right, with: wrong)) != [])
    }

    /// With the reference implementation, where it is installed.
    @Test(.enabled("python3 has no module jsonschema") { try python("import jsonschema") })
    func pythonAgreesWithOurReadingOfTheSchema() throws {
        try inScratchFolder { folder in
            try JSON.text(Self.everything).write(toFile: "\(folder)/r.json", atomically: true, encoding: .utf8)
            try repositoryFile("docs/bench-schema.json").write(to: URL(fileURLWithPath: "\(folder)/s.json"))
            let script = """
                import json, jsonschema
                schema = json.load(open("\(folder)/s.json"))
                jsonschema.Draft202012Validator.check_schema(schema)
                jsonschema.Draft202012Validator(schema).validate(json.load(open("\(folder)/r.json")))
                """
            #expect(try python(script))
        }
    }

    @Test(arguments: [
        ("", "no JSON"), ("{}", "not a report of version 2"), ("{\"version\": 1, \"findings\": []}", "not a report"),
        ("{\"format\": \"swiftlet-bench-report\", \"version\": 2}", "no \"environment\""),
    ])
    func anythingElseIsRefusedInWords(_ text: String, _ words: String) {
        #expect(throws: SubcommandError.self) { try Report(json: Array(text.utf8), name: "x.json") }
        do { _ = try Report(json: Array(text.utf8), name: "x.json") } catch {
            #expect(error.message.hasPrefix("x.json: ") && error.message.contains(words), "\(error.message)")
        }
    }

    /// Anybody may write a report: whatever it says, `compare` neither traps nor believes it.
    @Test(arguments: [
        ("\"median\" : 2000", "\"median\" : 9e300"), ("\"high\" : 3000", "\"high\" : 1"),
        ("\"n\" : 3\n", "\"n\" : 0\n"),
        ("\"outliers\" : 0", "\"outliers\" : -1"), ("\"p99\" : 3047", "\"p99\" : 0"),
        ("\"operations\" : 64", "\"operations\" : 0"),
        ("\"median\" : 2000", "\"median\" : 1e999"),
    ])
    func figuresThatNoMeasurementHas(_ right: String, _ wrong: String) throws {
        let text = try JSON.text(Self.everything)
        #expect(text.contains(right))
        let crafted = Array(text.replacingOccurrences(of: right, with: wrong).utf8)
        #expect(throws: SubcommandError.self) { try Report(json: crafted, name: "") }
    }

    @Test func hugeFiguresDoNotTrap() throws {
        let report = Report.invented([.invented(.port(), medians: [1])]) {
            $0.rows[0].floorRatio = Interval(of: [1e300])
            $0.method.noise?.highMegahertz = 1e300
        }
        #expect(Comparison(report, report, threshold: 2).text.contains("1e+300"))
        #expect(ReportTable.text(report).contains("1e+300"))
        #expect(HostsPage([.init(name: "h", report: report)]).text.contains("1e+300"))
    }

    @Test func debugBuildsAreStampedAndOldReportsRead() throws {
        let debug = Report.invented([]) { $0.method.build = .debug }
        #expect(debug.stamps.contains("debug build: not for publication"))
        #expect(debug.warnings.contains("debug build: not for publication"))
        let text = try JSON.text(Report.invented([])).replacingOccurrences(
            of: "    \"build\" : \"release\",\n", with: "")
        let old = try Report(json: Array(text.utf8), name: "")
        #expect(old.method.build == nil && !old.stamps.contains { $0.contains("debug") })
    }

    @Test func warningsAreOfTheHostTheNoiseAndTheMethod() {
        let report = Report.invented([]) {
            $0.method.isQuick = true
            $0.method.isPartial = true
            $0.method.repeats = 2
            $0.method.warnings = $0.method.warnings($0.environment)
        }
        #expect(report.warnings.count == 4)
        #expect(report.warnings[0] == "software KVM: not representative of VT-x or SVM")
        #expect(report.warnings.contains("quick: not for publication"))
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_795_628_030, "2026-11-25T17:33:50Z"),
    ])
    func timestamps(_ seconds: Int64, _ text: String) {
        #expect(timestamp(seconds) == text)
    }
}

/// Whether the caller's python3 runs that without an error.
private func python(_ script: String) throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
}
