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
        #expect(lines[start + 1].hasPrefix("  ring3  user  202  25.0 us  "))
        #expect(lines[start + 2].hasPrefix("  ring0  user  202   900 ns  "))
        #expect(lines[start + 3] == "  real   not here: real mode reaches 1 MiB")
        #expect(lines[start - 1].hasSuffix("x KVM_RUN"))
        #expect(lines[start + 1].hasSuffix("25.00 (25.00-25.00)"))
        #expect(lines.contains("note: software KVM: not representative of VT-x or SVM"))
        // Columns line up.
        #expect(lines[start + 1].count == lines[start + 2].count && lines[start - 1].count == lines[start + 1].count)
        // There is no way out or back in these rows: no column for it.
        #expect(!lines[start - 1].contains(" out ") && lines[start - 1].contains("handler"))
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
