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
            #expect((1...20).contains(samples.total.count))
            #expect(samples.total.allSatisfy { row.subject.unit == .kibibytes || $0 > 0 && $0 < 2e9 })
        } catch {
            guard case .unavailable(let why) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(why.utf8.count > 10)
        }
    }

    /// What every KVM can do, on every Linux since 5.14: here a reason is no excuse.
    @Test(
        .requiresKVM,
        arguments: [
            "slot-add/1m", "slot-delete/1m", "slot-add/1m-after-ioeventfd", "map/1m", "first-touch-write/anon",
            "first-touch-write/anon-populated", "first-touch-write/anon-host", "first-touch-read/memfd",
            "backing-touch/anon", "backing-touch/memfd-prefault-host", "put-back/discard-10", "put-back/copy-log-50",
            "dirty-log-write/ring3", "dirty-log-read/16-pages", "commit/1", "commit-touch/16", "tlb/4k", "tlb/4k-host",
        ])
    func theseRowsGiveSamplesOnAnyKVM(_ id: String) throws {
        #expect(try row(id).measure(Amount(samples: 20, warmUps: 2)).total.isEmpty == false)
    }

    /// Repeats of unequal length would weigh quick ones more.
    @Test(.requiresKVM, arguments: [("slot-add/1m", 10), ("slot-add/1m-after-ioeventfd", 3), ("map/1m", 10)])
    func slowRowsTakeAsManyInEachRepeat(_ id: String, _ count: Int) throws {
        for _ in 0..<2 { #expect(try row(id).measure(Amount(samples: 1000, warmUps: 100)).total.count == count) }
    }

    /// Where the kernel does not give huge pages there is no row of them.
    @Test func memoryThatIsNotHugeIsNotCalledSo() throws {
        let small = try HostMapping(.anonymous, size: 4 << 20)
        try small.populate()
        #expect(Bench.reason { () throws(ExperimentError) in try small.requireHugePages() } != nil)
        #expect(noHugePages(0, of: 4 << 20, "always madvise [never]\n").contains("switched off"))
        #expect(noHugePages(2 << 20, of: 4 << 20, "always [madvise] never\n").contains("2 of 4 MiB"))
        #expect(noHugePages(0, of: 4 << 20, nil) == "this kernel has no transparent huge pages")
    }

    private func twin(_ script: String) -> String? {
        let workshop = Workshop(swiftlet: "", twin: "", guests: "")
        let subject = Subject(.memory, "x", "x", "twin", .kernel)
        let twin = CProgram(
            subject: subject, program: "/bin/sh", arguments: ["-c", script], most: 3, workshop: workshop)
        return Bench.reason { () throws(ExperimentError) in _ = try twin.measure(Amount(samples: 3, warmUps: 0)) }
    }

    /// Only what the host refuses is no failure (benchmarks/mapping/main.c, fail).
    @Test func aTwinThatCrashesHasFailed() {
        #expect(twin("echo 7; echo 8; echo 9") == nil)
        #expect(twin("kill -9 $$")?.hasPrefix("failed: bench: /bin/sh was killed by") == true)
        #expect(twin("exit 125") == "failed: bench: /bin/sh ended with status 125")
        #expect(twin("exit 3") == "this host refuses what /bin/sh asks for")
        #expect(twin("true")?.hasPrefix("failed: ") == true, "no samples")
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

    /// Every way puts back what was written, or the row fails; a sample is its parts together.
    @Test(.requiresKVM, arguments: PutBack.allCases, [1, 50])
    func pagesArePutBackEachWay(_ way: PutBack, _ pages: Int) throws {
        let row = PutBackExperiment(Bench.equipment().images, way, pages: pages)
        let samples: Samples
        do throws(ExperimentError) { samples = try row.measure(Amount(samples: 5, warmUps: 1)) } catch {
            guard case .unavailable = error, way == .copyRing else { throw error }
            return
        }
        try #require(samples.parts.map(\.name) == [.total, .run, .find, .putBack])
        for (index, total) in samples.total.enumerated() {
            #expect(samples.parts.dropFirst().reduce(0) { $0 + $1.values[index] } == total)
        }
    }

    @Test func seriesEnd() throws {
        var calls = 0
        let many = try series(5, limit: 1_000_000_000) { () throws(ExperimentError) in
            calls += 1
            return UInt64(calls)
        }
        #expect(many.total == [2, 3, 4, 5, 6], "the first is thrown away")
        let slow = try series(4) { () throws(ExperimentError) in
            calls += 1
            let end = Clock.monotonic() + 10_000_000
            while Clock.monotonic() < end {}
            return 7
        }
        #expect(slow.total == [7, 7, 7, 7], "as many, however slow")
        let late = Bench.reason { () throws(ExperimentError) in
            _ = try series(1000, limit: 0) { () throws(ExperimentError) in 7 }
        }
        #expect(late?.hasPrefix("failed: only ") == true)
    }
}
