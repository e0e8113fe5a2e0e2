// The rows of `bench memory`, measured on this host: samples or a reason, and an end in any case.
//
// Read next: Sources/swiftlet-bench/Memory/MemoryRows.swift.

import Host
import KVM
import Measure
import Rig
import TestSupport
import Testing

@testable import swiftlet_bench

@Suite(.serialized) struct MemoryMeasurementTests {
    private static var rows: [any Experiment] { memoryExperiments(Bench.equipment()) }

    private func row(_ id: String) throws -> any Experiment {
        try #require(Self.rows.first { $0.subject.id == "memory/\(id)" })
    }

    @Test func idsAreUniqueAndNeighboursExist() {
        let ids = Self.rows.map(\.subject.id)
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.hasPrefix("memory/") })
        for subject in Self.rows.map(\.subject) {
            if let beside = subject.beside { #expect(ids.contains(beside), "\(subject.id)") }
            #expect(subject.group == .memory && !subject.what.isEmpty)
            #expect(subject.unit == .nanoseconds || !subject.hasFloor)
        }
    }

    /// All but the twin's, which is not built for tests.
    @Test(.requiresKVM, arguments: rows.map(\.subject.id).filter { !$0.hasSuffix("-twin") })
    func everyRowGivesSamplesOrAReason(_ id: String) throws {
        let row = try #require(Self.rows.first { $0.subject.id == id })
        do throws(ExperimentError) {
            let samples = try row.measure(Amount(samples: 20, warmUps: 2))
            #expect((3...20).contains(samples.total.count))
            #expect(samples.total.allSatisfy { $0 > 0 && $0 < 2e9 })
        } catch {
            guard case .unavailable(let why) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(why.utf8.count > 10)
        }
    }

    @Test func aTwinThatIsNotThereIsAReason() throws {
        for id in ["slot-add/1m-twin", "map/64g-twin", "first-touch-write/anon-twin"] {
            let row = try row(id)
            let why = Bench.reason { () throws(ExperimentError) in _ = try row.measure(Amount(samples: 3, warmUps: 0)) }
            #expect(why?.contains("make -C benchmarks") == true, "\(id)")
        }
    }

    /// What memory is populated already costs less; what the kernel has to copy, more.
    @Test(.requiresKVM) func populatedMemoryIsCheaper() throws {
        let amount = Amount(samples: 300, warmUps: 30)
        func median(_ id: String) throws -> Double { try #require(Distribution(try row(id).measure(amount).total)).p50 }
        #expect(try median("first-touch-write/anon-populated") < median("first-touch-write/anon"))
        #expect(try median("first-touch-write/copy-on-write-populated") < median("first-touch-write/copy-on-write"))
    }

    /// A log that has other pages than were written would be a failed row: this one asks for one page more.
    @Test(.requiresKVM) func aLogIsChecked() throws {
        let machine = try LoggedRig(Bench.equipment().images, isLogging: true)
        var bitmap = DirtyBitmap(pages: LoggedRig.pages)
        try machine.touch(100, shift: 13)
        let why = Bench.reason { () throws(ExperimentError) in try machine.readLog(&bitmap, expecting: 101) }
        #expect(why == "failed: the log has 100 pages, and 101 were written")
        #expect(bitmap.indices == (0..<100).map { $0 * 2 })
    }

    /// The commit takes the right to write away and gives it back: what the guest reads through it stays.
    @Test(.requiresKVM, arguments: [1, 16, 256]) func aCommitIsOneExit(_ entries: Int) throws {
        let samples = try row("commit/\(entries)").measure(Amount(samples: 10, warmUps: 1))
        try #require(samples.parts.map(\.name) == [.total, .toHost, .handler, .toGuest])
        #expect(samples.parts[2].values.allSatisfy { $0 > 0 })
    }

    @Test func seriesEnd() throws {
        var calls = 0
        let many = try series(5, limit: 1_000_000_000) { () throws(ExperimentError) in
            calls += 1
            return UInt64(calls)
        }
        #expect(many.total == [2, 3, 4, 5, 6], "the first is thrown away")
        let slow = try series(1000, limit: 0) { () throws(ExperimentError) in 7 }
        #expect(slow.total == [7, 7, 7], "late, but never fewer than three")
    }
}
