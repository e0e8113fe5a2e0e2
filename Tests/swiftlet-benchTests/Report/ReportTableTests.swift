// What a person reads: the table, its notes, where a port exit's time goes, how far a measurement is.
//
// Read next: ReportFileTests.swift.

import Measure
import Testing

@testable import swiftlet_bench

@Suite struct ReportTableTests {
    @Test func rowsOfAnOperationStandTogether() throws {
        var missing = Row(.port("real"))
        missing.unavailable = "real mode reaches 1 MiB"
        let report = Report.invented([
            missing, .invented(.port(), medians: [25_000, 25_000]), .invented(.port("ring0"), medians: [900, 901]),
        ]) { $0.method.warnings = ["software KVM: not representative of VT-x or SVM"] }
        let lines = ReportTable.text(report).split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex(of: "port write (OUT)"))
        #expect(lines[start + 1].hasPrefix("  ring3  user  202  25.0 us  25.0 us  25.0 us  25.1 us  "))
        #expect(lines[start + 2].hasPrefix("  ring0  user  202   850 ns   900 ns   950 ns   951 ns  "))
        #expect(lines[start + 3] == "  real   not here: real mode reaches 1 MiB")
        #expect(lines[start - 1].hasSuffix("x KVM_RUN"))
        #expect(lines[start + 1].hasSuffix("25.00 (25.00-25.00)"))
        #expect(lines.contains("note: software KVM: not representative of VT-x or SVM"))
        // Columns line up.
        #expect(lines[start + 1].count == lines[start + 2].count && lines[start - 1].count == lines[start + 1].count)
        // There is no way out or back in these rows: no column for it.
        #expect(!lines[start - 1].contains(" out ") && lines[start - 1].contains("handler"))
    }

    /// The median's interval where there is no ratio; no percentile that would be the extreme by another name.
    @Test func whereThereIsNoRatioTheMedianTellsHowSureItIs() throws {
        let lone = Subject.port("slot") { $0.hasFloor = false }
        let rows = [Row.invented(.port(), medians: [25_000, 25_000]), .invented(lone, medians: [25_000, 26_000])]
        let lines = ReportTable.text(.invented(rows)).split(separator: "\n").map(String.init)
        let row = try #require(lines.first { $0.hasPrefix("  slot") })
        #expect(row.hasSuffix("  25.0-26.0 us"))
        let head = try #require(lines.first { $0.contains("p99") })
        #expect(head.hasSuffix("x KVM_RUN or median") && !head.contains("p99.9"))
        let few = ReportTable.text(.invented([.invented(lone, medians: [25_000])]) { $0.rows[0].parts[0] = tiny })
        #expect(!few.contains("p99") && few.contains("median, 95 %"))
    }

    private var tiny: ReportRow.Part {
        guard let part = ReportRow.Part(.total, [[1, 2, 3]], .nanoseconds, step: 10) else {
            fatalError("three samples")
        }
        return part
    }

    @Test func whereMoreIsBetterTheTailIsTheLowEnd() throws {
        let bandwidth = Subject(.memory, "bandwidth", "bandwidth", "read", .guest)
        let row = Row.invented(
            with(bandwidth) { $0.unit = .mebibytesPerSecond }, medians: [Double](repeating: 900, count: 10))
        let other = Row.invented(with(bandwidth) { ($0.what, $0.id) = ("touch", "memory/touch/x") }, medians: [900])
        let lines = ReportTable.text(.invented([row, other])).split(separator: "\n").map(String.init)
        let start = try #require(lines.firstIndex(of: "memory, more is better"))
        #expect(lines[start + 1].split(separator: " ").prefix(7) == ["by", "n", "max", "p50", "p1", "p0.1", "min"])
        #expect(lines[start + 3].contains("  950 MiB/s  900 MiB/s  851 MiB/s  850 MiB/s  850 MiB/s  "))
        #expect(lines.contains("memory"))
    }

    private func with(_ subject: Subject, _ change: (inout Subject) -> Void) -> Subject {
        var subject = subject
        change(&subject)
        return subject
    }

    @Test func wideTablesGoWithoutTheLeast() {
        func head(_ variant: String) -> Substring? {
            ReportTable.text(.invented([.invented(.port(variant), medians: [5])])).split(separator: "\n").first {
                $0.contains("p50")
            }
        }
        #expect(head("a")?.contains("min") == true)
        #expect(head(String(repeating: "a", count: 100))?.contains("min") == false)
    }

    @Test func rowsThatFailedLateAreNotShownAsMeasured() {
        var row = Row.invented(.port(), medians: [1000, 1000])
        row.failed = "a bad day"
        let report = Report.invented([row, .invented(.port("ring0"), medians: [5])])
        #expect(report.failure == "1 row failed: exits/port-write/ring3")
        #expect(ReportTable.text(report).contains("  ring3  FAILED: a bad day"))
        #expect(!report.rows[0].isMeasured && report.rows[0].total != nil)
        #expect(Breakdown("ring3", report.rows) == nil)
        #expect(HostsPage([.init(name: "h", report: report)]).text.contains("| ring3 | user | failed |"))
    }

    @Test(arguments: [
        (0.0, 2, "0.00"), (1e15, 3, "1000000000000000.000"), (1e16, 0, "10000000000000000"), (1e16, 3, "1e+16"),
        (-1e300, 0, "-1e+300"), (.infinity, 1, "inf"), (.nan, 1, "nan"), (-0.004, 2, "0.00"), (-1.25, 1, "-1.3"),
    ])
    func noNumberIsTooLarge(_ value: Double, _ digits: Int, _ text: String) {
        #expect(decimal(value, digits) == text)
    }

    @Test(arguments: [
        (24_900.0, 25_300.0, "24.9-25.3 us"), (900, 1020, "900 ns-1.02 us"), (-50, -20, "-50.0 to -20.0 ns"),
        (-50, 2000, "-50.0 ns to 2.00 us"),
    ])
    func ranges(_ low: Double, _ high: Double, _ text: String) throws {
        #expect(rangeText(try #require(Interval(of: [low, high])), .nanoseconds) == text)
    }

    @Test func notesAreNumberedOnce() {
        let note = "both have this"
        let rows = ["a", "b"].map { name in
            Row.invented(
                .port(name) {
                    $0.note = note
                    $0.operations = name == "b" ? 64 : 1
                }, medians: [5])
        }
        let text = ReportTable.text(.invented(rows))
        #expect(text.split(separator: "\n").count { $0.contains(note) } == 1)
        #expect(text.contains("  [1]\n") && text.contains("  [1,2]\n"))
        #expect(text.contains("[2] a sample is the mean of 64 operations"))
    }

    @Test func hostileTextDoesNotControlTheTerminal() {
        let row = Row.invented(.port("ring3") { $0.note = "\u{1b}[2J" }, medians: [5])
        #expect(!ReportTable.text(.invented([row])).contains("\u{1b}"))
    }

    @Test(arguments: [
        (0.5, "0.50 ns"), (999.4, "999 ns"), (999.6, "1.00 us"), (25_247.5, "25.2 us"), (999_600, "1.00 ms"),
        (4.06e6, "4.06 ms"),
        (2.5e9, "2.50 s"), (0, "0.00 ns"),
    ])
    func times(_ value: Double, _ text: String) {
        #expect(quantity(value, .nanoseconds) == text)
    }

    @Test(arguments: [
        (0.1, "0.1"), (3, "3"), (1e-7, "0.000000100000"), (25247.5, "25247.5"), (-2, "-2"), (.infinity, ""),
    ])
    func plainNumbers(_ value: Double, _ text: String) {
        #expect(plain(value) == text)
    }
}

@Suite struct BreakdownTests {
    @Test func theRestIsTheWayToTheProgram() throws {
        let user = Row.invented(.port(), medians: [25_000], floor: 5000)
        var subject = Subject(.exits, "ioeventfd-pio", "port doorbell (ioeventfd)", "ring3", .kernel)
        let kernel = Row.invented(subject, medians: [3000])
        let breakdown = try #require(Breakdown("ring3", Report.invented([user, kernel]).rows))
        #expect(
            (breakdown.total, breakdown.inKernel, breakdown.systemCall, breakdown.handler) == (25_000, 3000, 5000, 250))
        #expect(breakdown.wayToUser == 16_750)
        subject.variant = "ring0"
        #expect(Breakdown("ring0", Report.invented([user, kernel]).rows) == nil)
        #expect(Breakdown.text(.invented([user])).contains("20.0 %"))
        #expect(Breakdown.text(.invented([kernel])) == "")
    }
}

@Suite struct ProgressTests {
    @Test func timeLeftIsToldOnceThereIsSomethingToTellItBy() {
        #expect(Progress.line(0, 100, "a", seconds: 0) == "0 %: a")
        #expect(Progress.line(4, 100, "a", seconds: 2) == "4 %: a")
        #expect(Progress.line(50, 100, "a", seconds: 30) == "50 %, 30 s left: a")
        #expect(Progress.line(10, 100, "a", seconds: 10) == "10 %, 1 min 30 s left: a")
    }
}
