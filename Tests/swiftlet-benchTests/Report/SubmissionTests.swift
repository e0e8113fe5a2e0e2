// What may be published, under what name, and the page that compares hosts; a session that is stopped.
//
// Read next: Sources/swiftlet-bench/Results/SubmitCommand.swift.

import Foundation
import Host
import Measure
import Testing

@testable import Subcommand
@testable import swiftlet_bench

@Suite struct SubmissionTests {
    private let rows = [Row.invented(.port(), medians: [Double](repeating: 1000, count: 10))]

    @Test func whatMayNotBePublished() {
        #expect(Report.invented(rows).unfit == nil)
        #expect(Report.invented(rows) { $0.method.isQuick = true }.unfit == "made with --quick")
        #expect(Report.invented(rows) { $0.method.isPartial = true }.unfit != nil)
        #expect(Report.invented(rows) { $0.method.repeats = 9 }.unfit == "9 repeats: at least 10")
        #expect(Report.invented([.invented(.port(), medians: [1, 2])]).unfit?.contains("not all repeats") == true)
        #expect(Report.invented(rows) { $0.method.build = .debug }.unfit == "made with a debug build")
        #expect(Report.invented(rows) { $0.method.build = nil }.unfit?.contains("an earlier one") == true)
        #expect(Report.invented(rows) { $0.rows[0].failed = "x" }.unfit == "1 row failed: exits/port-write/ring3")
        #expect(Report.invented(rows) { $0.rows[0].floors = [] }.unfit?.contains("no bare KVM_RUN") == true)
        #expect(Report.invented(rows) { $0.rows[0].parts = [] }.unfit?.contains("not all repeats") == true)
        #expect(Report.invented([]).unfit == "nothing was measured")
    }

    @Test func packsAndUnpacks() throws {
        try inScratchFolder { folder in
            let report = Report.invented(rows)
            let files = try ReportFiles(
                json: nil, csv: nil, raw: nil, histograms: nil, pictures: nil, all: "\(folder)/run")
            try files.write(report, rows)
            for name in [
                "report.json", "report.csv", "raw.csv", "hgrm/exits.port-write.ring3.total.hgrm",
                "svg/overview-exits.svg",
            ] {
                #expect(FileManager.default.fileExists(atPath: "\(folder)/run/\(name)"), "\(name)")
            }
            let command = try #require(
                try SubmitCommand.parseAsRoot(["--host", "test", "--into", folder, "\(folder)/run"]) as? SubmitCommand)
            #expect(try command.perform() == 0)
            var tar = try ChildProcess("/usr/bin/tar", ["-xzf", "\(folder)/test-2026-11-25.tar.gz", "-C", folder])
            #expect(tar.finish(limit: 60_000_000_000).end == .exited(0))
            let unpacked = try readReport("\(folder)/test/report.json")
            #expect(unpacked == report)
            let page = HostsPage([.init(name: "test", report: unpacked)]).text
            #expect(page.contains("| port write (OUT) | ring3 | user | 1.00 us (1.00) |"))
            // One sample changed: refused.
            let raw = try String(contentsOfFile: "\(folder)/run/raw.csv", encoding: .utf8)
            try raw.replacingOccurrences(of: ",3,50,1000\n", with: ",3,50,1001\n")
                .write(toFile: "\(folder)/run/raw.csv", atomically: true, encoding: .utf8)
            #expect(throws: SubcommandError.self) { try command.perform() }
        }
    }

    /// DIR may be anybody's: what a link in it points to is neither written nor packed as a link.
    @Test func linksAreNotFollowedForWriting() throws {
        try inScratchFolder { folder in
            let files = try ReportFiles(
                json: nil, csv: nil, raw: nil, histograms: nil, pictures: nil, all: "\(folder)/run")
            try files.write(Report.invented(rows), rows)
            try "precious".write(toFile: "\(folder)/victim", atomically: true, encoding: .utf8)
            let manager = FileManager.default
            for name in ["environment.txt", "raw.csv.gz"] {
                try manager.createSymbolicLink(atPath: "\(folder)/run/\(name)", withDestinationPath: "\(folder)/victim")
            }
            // A colon is no host's name.
            let into = "\(folder)/a:b"
            try manager.createDirectory(atPath: into, withIntermediateDirectories: false)
            let command = try #require(
                try SubmitCommand.parseAsRoot(["--host", "test", "--into", into, "\(folder)/run"]) as? SubmitCommand)
            #expect(try command.perform() == 0)
            #expect(try String(contentsOfFile: "\(folder)/victim", encoding: .utf8) == "precious")
            var tar = try ChildProcess(
                "/usr/bin/tar", ["-xzf", "\(into)/test-2026-11-25.tar.gz", "--force-local", "-C", folder])
            #expect(tar.finish(limit: 60_000_000_000).end == .exited(0))
            for name in ["report.json", "raw.csv.gz", "environment.txt"] {
                let attributes = try manager.attributesOfItem(atPath: "\(folder)/test/\(name)")
                #expect(attributes[.type] as? FileAttributeType == .typeRegular)
            }
            let text = try String(contentsOfFile: "\(folder)/test/environment.txt", encoding: .utf8)
            #expect(text.contains("software KVM: not representative"))
        }
    }

    /// Stamps are the environment's: a report cannot leave them out.
    @Test func thePageBelievesNoWordsOfAReport() {
        let report = Report.invented(rows) {
            $0.method.warnings = []
            $0.environment.kernel = "<b>|[x](y)"
            $0.rows[0].what = "<script>a|b"
        }
        let page = HostsPage([.init(name: "test", report: report)]).text
        #expect(page.contains("software KVM: not representative of VT-x or SVM"))
        #expect(page.contains("| &lt;script&gt;a\\|b | ring3 |"))
        #expect(page.contains("| &lt;b&gt;\\|\\[x\\](y) |"))
    }

    @Test(arguments: ["", "-x", "a/b", "a b", "../x", "a.b"])
    func namesOfHostsAreNamesOfFolders(_ name: String) {
        #expect(throws: (any Error).self) { try SubmitCommand.parseAsRoot(["--host=\(name)", "DIR"]) }
    }

    @Test func hostsAreNamedByWhatTheyAre() {
        var host = Report.invented([]).environment
        #expect(host.hostName == "example-3000-software-kvm-soft")
        (host.cpu, host.virtualization, host.isVirtual) = ("Intel(R) Xeon(R) CPU @ 2.50GHz", .vtx, true)
        #expect(host.hostName == "intel-xeon-2_50ghz-vt-x-nested")
    }
}

@Suite struct StoppedSessionTests {
    private struct Constant: Experiment {
        var subject: Subject
        func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
            Samples(total: [Double](repeating: 5, count: amount.samples))
        }
    }

    private func session(stopAfter steps: Int) -> Session {
        let experiments = ["a", "b"].map { Constant(subject: .port($0)) }
        var session = Session(experiments, repeats: 3, amount: Amount(samples: 4, warmUps: 0))
        var asked = 0
        session.run(
            floor: { () throws(ExperimentError) in 1 }, tell: { _, _, _ in },
            isStopped: {
                asked += 1
                return asked > steps
            })
        return session
    }

    @Test func aStepThatWasDisturbedDoesNotCount() {
        // a b, b a, a b: the fourth step is stopped.
        let stopped = session(stopAfter: 3)
        #expect(stopped.isPartial)
        #expect(stopped.rows.map { $0.medians().count } == [1, 2])
        let whole = session(stopAfter: 6)
        #expect(!whole.isPartial)
        #expect(whole.rows.map { $0.medians().count } == [3, 3])
    }

    @Test func stoppedAtOnceThereIsNothing() {
        let report = Report.invented(session(stopAfter: 0).rows)
        #expect(report.rows.map(\.absence) == ["not measured", "not measured"])
        #expect(ReportTable.text(report).contains("not measured"))
    }
}
