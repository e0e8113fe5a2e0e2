// Verdicts on invented reports.
//
// Read next: SubmissionTests.swift.

import Foundation
import Measure
import Testing

@testable import Subcommand
@testable import swiftlet_bench

/// Ten medians around one, `spread` percent to each side.
private func around(_ median: Double, spread: Double = 0.5) -> [Double] {
    (0..<10).map { index -> Double in
        let side = (Double(index) - 4.5) / 4.5
        return median * (1 + side * spread / 100)
    }
}

@Suite struct ComparisonTests {
    private func compare(_ a: [Double], _ b: [Double], absolute: Bool = false, floorB: Double = 1000) throws -> RowPair
    {
        let before = Report.invented([.invented(.port(), medians: a)])
        let after = Report.invented([.invented(.port(), medians: b, floor: floorB)])
        return try #require(Comparison(before, after, threshold: 2, absolute: absolute).rows.first)
    }

    @Test(arguments: [
        (1000.0, 0.5, 1005.0, 0.5, RowPair.Verdict.same), (1000, 0.5, 1100, 0.5, .slower),
        (1000, 0.5, 900, 0.5, .faster),
        // A difference over the threshold within wide intervals, and none within wide intervals.
        (1000, 12, 1100, 12, .undecided), (1000, 12, 1005, 12, .undecided),
        // Sure of a difference that is too small to count.
        (1000, 0.1, 1015, 0.1, .same),
    ])
    func verdicts(_ a: Double, _ aSpread: Double, _ b: Double, _ bSpread: Double, _ verdict: RowPair.Verdict) throws {
        #expect(try compare(around(a, spread: aSpread), around(b, spread: bSpread)).verdict == verdict)
    }

    /// The interval of one repeat has no width, so any other would be a change.
    @Test(arguments: [(1, RowPair.Verdict.undecided), (5, .undecided), (6, .slower)])
    func tooFewRepeatsTellNothing(_ repeats: Int, _ verdict: RowPair.Verdict) throws {
        let (a, b) = (Array(repeating: 1000.0, count: repeats), Array(repeating: 1200.0, count: 10))
        #expect(try compare(a, b).verdict == verdict)
    }

    /// Lateness may be below zero, and a count zero.
    @Test(arguments: [
        ([-100.0], [-50.0], "+50.0 %", RowPair.Verdict.slower), ([-100], [-200], "-100.0 %", .faster),
        ([-100], [100], "+200.0 %", .slower), ([0], [5], "+inf", .slower), ([0], [-5], "-inf", .faster),
        ([0], [0], "0.0 %", .same),
        ([-5, 0, 5], [20], "+inf", .slower), ([-5, 1, 5], [-9, 1, 9], "0.0 %", .undecided),
        ([-5, 1, 5], [-20], "-2100.0 %", .faster),
    ])
    func whatIsNotAboveZero(_ a: [Double], _ b: [Double], _ change: String, _ verdict: RowPair.Verdict) throws {
        func repeated(_ values: [Double]) -> [Double] { values.flatMap { [Double](repeating: $0, count: 8) } }
        let pair = try compare(repeated(a), repeated(b), absolute: true)
        #expect((pair.change.text, pair.verdict) == (change, verdict))
        #expect(pair.changeLow.value <= pair.change.value && pair.change.value <= pair.changeHigh.value)
        #expect(try JSON.text(pair).contains("\"change\" : null") == !pair.change.value.isFinite)
    }

    /// From 2 to 9 of ten repeats: 990-1010 and 1040-1060 by hand.
    @Test func theChangeLiesBetweenThoseOfTheIntervals() throws {
        let a = [900.0] + [990] + [Double](repeating: 1000, count: 6) + [1010, 2000]
        let pair = try compare(a, a.map { $0 + 50 }, absolute: true)
        #expect(abs(pair.changeLow.value - (1040.0 / 1010 - 1) * 100) < 1e-9)
        #expect(abs(pair.changeHigh.value - (1060.0 / 990 - 1) * 100) < 1e-9)
        #expect(pair.verdict == .slower)
    }

    @Test func theRatioAbsorbsASlowerHost() throws {
        let slower = around(2000)
        #expect(try compare(around(1000), slower, floorB: 2000).verdict == .same)
        #expect(try compare(around(1000), slower, absolute: true, floorB: 2000).verdict == .slower)
    }

    @Test func moreBandwidthIsBetter() {
        let subject = Subject.port {
            $0.unit = .mebibytesPerSecond
            $0.hasFloor = false
        }
        let (a, b) = (
            Report.invented([.invented(subject, medians: around(1000))]),
            Report.invented([.invented(subject, medians: around(1200))])
        )
        #expect(Comparison(a, b, threshold: 2).rows.map(\.verdict) == [.faster])
        #expect(Comparison(b, a, threshold: 2).rows.map(\.verdict) == [.slower])
    }

    @Test func rowsOfOneReportOnlyAreListedWithTheReason() {
        var failing = Row(.port("b"))
        failing.failed = "errno 22"
        let a = Report.invented(["a", "b", "c"].map { .invented(.port($0), medians: [1]) })
        let b = Report.invented([.invented(.port("a"), medians: [1]), failing, .invented(.port("d"), medians: [1])])
        let comparison = Comparison(a, b, threshold: 2)
        #expect(comparison.rows.map(\.id) == ["exits/port-write/a"])
        #expect(
            comparison.onlyInA == [
                .init(id: "exits/port-write/b", why: "FAILED: errno 22", isFailure: true),
                .init(id: "exits/port-write/c", why: "no such row", isFailure: false),
            ])
        #expect(comparison.onlyInB.map(\.id) == ["exits/port-write/d"])
        #expect(!comparison.isGood)
        #expect(comparison.text.contains("only in A: exits/port-write/b (B: FAILED: errno 22)"))
    }

    @Test func aRowThatFailedInALateRepeatIsNotTheSame() {
        let a = Report.invented([.invented(.port(), medians: around(1000))])
        var late = Row.invented(.port(), medians: around(1000))
        late.failed = "a bad day"
        let b = Report.invented([late])
        #expect(b.rows[0].total != nil)
        let comparison = Comparison(a, b, threshold: 2)
        #expect(comparison.rows.isEmpty && comparison.onlyInA.map(\.isFailure) == [true] && !comparison.isGood)
        #expect(Comparison(b, a, threshold: 2).onlyInB.map(\.id) == ["exits/port-write/ring3"])
        #expect(Comparison(b, a, threshold: 2).isGood)
    }

    @Test func whatTheSameHostCouldDoItStillMust() {
        let a = Report.invented([.invented(.port(), medians: [1])])
        var missing = Row(.port())
        missing.unavailable = "no"
        let b = Report.invented([missing])
        #expect(!Comparison(a, b, threshold: 2).isGood)
        let other = Report.invented([missing]) { $0.environment.kernel = "7.0" }
        #expect(Comparison(a, other, threshold: 2).isGood)
        // Another swiftlet is what a comparison is made for.
        let later = Report.invented([missing]) { $0.environment.versions["swiftlet"] = "0.2.0" }
        #expect(!Comparison(a, later, threshold: 2).isGood)
        #expect(Comparison(b, a, threshold: 2).isGood)
    }

    @Test func onlySlowerRowsAreBad() throws {
        let report = { (median: Double) in Report.invented([.invented(.port(), medians: around(median))]) }
        #expect(Comparison(report(1000), report(1000), threshold: 2).isGood)
        #expect(Comparison(report(1000), report(800), threshold: 2).isGood)
        #expect(!Comparison(report(1000), report(1100), threshold: 2).isGood)
    }

    @Test func anotherHostIsWarnedOf() {
        let a = Report.invented([.invented(.port(), medians: [1])])
        let b = Report.invented([.invented(.port(), medians: [1])]) { $0.environment.kernel = "7.0" }
        #expect(Comparison(a, a, threshold: 2).differences.isEmpty)
        #expect(Comparison(a, b, threshold: 2).differences == [.init(what: "kernel", a: "", b: "7.0")])
        #expect(Comparison(a, b, threshold: 2).text.hasPrefix("note: another kernel: (none) / 7.0\n"))
    }
}

@Suite struct AgreementTests {
    /// Ten rows, of which some differ by 5 %.
    private func agreement(different: Int, missing: Int = 0) -> Agreement {
        let a = Report.invented((0..<10).map { .invented(.port("\($0)"), medians: around(1000)) })
        let b = Report.invented(
            (missing..<10).map { .invented(.port("\($0)"), medians: around($0 < missing + different ? 1050 : 1001)) })
        return Agreement(Comparison(a, b, threshold: 2), within: 2)
    }

    @Test(arguments: [(0, 0, true), (1, 0, true), (2, 0, false), (0, 1, true), (1, 1, false), (0, 2, false)])
    func nineOfTen(_ different: Int, _ missing: Int, _ good: Bool) {
        let agreement = agreement(different: different, missing: missing)
        #expect(agreement.rows == 10)
        #expect(agreement.close == 10 - different - missing)
        #expect(agreement.isGood == good)
    }

    @Test func closeIntervalsMustOverlapToo() {
        // 1 % apart and each 0.1 % wide: close, and certainly not the same.
        let report = { (median: Double) in
            Report.invented([.invented(.port(), medians: around(median, spread: 0.1))])
        }
        let agreement = Agreement(Comparison(report(1000), report(1010), threshold: 2), within: 2)
        #expect((agreement.close, agreement.overlapping, agreement.isGood) == (1, 0, false))
    }

    @Test func widthsAreTold() {
        // 990-1010 is 2 % wide, 980-1020 is 4 %.
        let reports = [10.0, 20].map { side in
            Report.invented([.invented(.port(), medians: [1000 - side, 1000, 1000 + side])])
        }
        let agreement = Agreement(Comparison(reports[0], reports[1], threshold: 2), within: 2)
        #expect(abs(agreement.width - 3) < 1e-9 && abs(agreement.widest - 4) < 1e-9)
        #expect(agreement.text.contains("the intervals are 3.00 % wide in the middle, the widest 4.00 %"))
    }

    @Test func failedRowsAreNoAgreement() throws {
        try inScratchFolder { folder in
            var failed = Row(.port("b"))
            failed.failed = "a bad day"
            let good = Report.invented([.invented(.port(), medians: around(1000))])
            let bad = Report.invented([.invented(.port(), medians: around(1000)), failed])
            for (name, report) in [("a", good), ("b", bad)] {
                try JSON.text(report).write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
            }
            func perform(_ b: String) throws -> Int32? {
                try
                    (try CompareCommand.parseAsRoot(["--agree", "2", "\(folder)/a", "\(folder)/\(b)"])
                    as? CompareCommand)?.perform()
            }
            #expect(try perform("a") == 0)
            #expect(throws: SubcommandError.self) { try perform("b") }
        }
    }

    @Test func nothingToCompareIsNoAgreement() {
        #expect(!Agreement(Comparison(.invented([]), .invented([]), threshold: 2), within: 2).isGood)
    }
}

@Suite struct PromiseTests {
    @Test(arguments: [
        (1.0, 0.99, 1.009, Finding.Promise.Verdict.kept), (1.0, 0.9, 1.2, .undecided), (1.05, 1.0, 1.1, .undecided),
        (1.05, 1.02, 1.1, .missed),
    ])
    func aLimitWithinTheIntervalIsUndecided(
        _ measured: Double, _ low: Double, _ high: Double, _ verdict: Finding.Promise.Verdict
    ) throws {
        let interval = try #require(Interval(of: [low, measured, high]))
        #expect((interval.low, interval.high) == (low, high))
        let promise = Finding.Promise(words: "", limit: 1.01, measured: measured, interval: interval)
        #expect(promise.verdict == verdict)
    }

    @Test(arguments: [(5.0, Finding.Promise.Verdict.kept), (5.1, .missed)])
    func withoutAnIntervalTheFigureDecides(_ measured: Double, _ verdict: Finding.Promise.Verdict) {
        #expect(Finding.Promise(words: "", limit: 5, measured: measured).verdict == verdict)
    }
}
