// The rows of pools and clones: that a reset is one, that herds are alive and told apart, that their memory is read right.
//
// Snapshots are bin/swiftlet's, as `make build` left it, in a folder of the test's own. Read next: StartupTests.swift.

import Foundation
import Glibc
import Host
import Measure
import Subcommand
import TestSupport
import Testing

@testable import swiftlet_bench

@Suite(.serialized) struct CloneRowTests {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    private static let swiftlet = getenv("SWIFTLET_BIN").map { String(cString: $0) } ?? root + "/bin/swiftlet"
    private static let isBuilt =
        FileManager.default.fileExists(atPath: swiftlet)
        && FileManager.default.fileExists(atPath: root + "/guests/build/touch-pages.elf")

    /// The guest alone in a folder, in which its snapshots are made.
    private func withSnapshots(_ body: (Equipment, SnapshotFiles) throws -> Void) throws {
        let folder = ScratchFolder()
        try FileManager.default.copyItem(
            atPath: Self.root + "/guests/build/touch-pages.elf", toPath: "\(folder.path)/touch-pages.elf")
        let workshop = Workshop(
            swiftlet: Self.swiftlet, twin: Self.root + "/benchmarks/build/twin", guests: folder.path)
        let equipment = Equipment(
            workshop: workshop, images: ExitImages(folder: folder.path), cpu: allowedCPUs().last ?? 0, otherCPU: nil)
        try body(equipment, SnapshotFiles(workshop))
    }

    @Test(.requiresKVM, .enabled(if: isBuilt, "'make build' builds it"), arguments: [nil, 0] as [Int?])
    func aPoolsCallsAreTimed(_ keptPages: Int?) throws {
        try withSnapshots { _, snapshots in
            let row = ResetExperiment(snapshots, 10, keptPages: keptPages)
            let samples = try row.measure(Amount(samples: 7, warmUps: 0))
            #expect(samples.total.count == 7 && samples.total.allSatisfy { $0 > 0 })
        }
    }

    @Test(
        .requiresKVM, .enabled(if: isBuilt, "'make build' builds it"),
        arguments: ["discard", "discard-xsave", "copy", "scan", "scan-xsave"])
    func theTwinIsResetEachWayOrThereIsAReason(_ method: String) throws {
        try withSnapshots { equipment, snapshots in
            let row = ResetTwin(equipment.workshop, snapshots, 10, method, "")
            let why = Bench.reason { () throws(ExperimentError) in
                let samples = try row.measure(Amount(samples: 5, warmUps: 0))
                #expect(samples.total.count == 5)
            }
            #expect(why?.hasPrefix("failed") != true, "\(why ?? "")")
        }
    }

    @Test(.requiresKVM, .enabled(if: isBuilt, "'make build' builds it"))
    func aHerdIsAliveInOneProcessAndInMany() throws {
        try withSnapshots { equipment, snapshots in
            for inProcesses in [false, true] {
                let runs = HerdRuns(equipment, snapshots, 3, inProcesses: inProcesses)
                let figures = try runs.figures(turn: 0)
                #expect(figures.times.count == 3 && figures.times.allSatisfy { $0 > 0 })
                #expect(figures.kernel.isFinite && figures.own.isFinite)
                // Ten pages and more that the guest has written; of a process all that its VMM has too.
                if inProcesses { #expect(figures.own >= 40) }
                #expect(try runs.figures(turn: 0).times == figures.times, "one herd in each repeat")
            }
        }
    }

    @Test func withoutASwiftletThereIsAReason() {
        let workshop = Workshop(swiftlet: "/nowhere/swiftlet", twin: "/nowhere/twin", guests: "/nowhere")
        let equipment = Equipment(workshop: workshop, images: ExitImages(folder: "/nowhere"), cpu: 0, otherCPU: nil)
        let snapshots = SnapshotFiles(workshop)
        let rows = resetExperiments(equipment, snapshots) + cloneExperiments(equipment, snapshots)
        for row in rows {
            let why = Bench.reason { () throws(ExperimentError) in
                _ = try row.measure(Amount(samples: 1, warmUps: 0))
            }
            #expect(why == "/nowhere/swiftlet is not there: 'make bench' builds it", "\(row.subject.id)")
        }
    }
}
