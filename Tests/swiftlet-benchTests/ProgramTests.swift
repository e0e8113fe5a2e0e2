// Rows that run whole programs: what guests and QEMU leave behind, read back; and programs that take turns.
//
// Read next: StartupTests.swift.

import Glibc
import Host
import Rig
import TestSupport
import Testing

@testable import swiftlet_bench

@Suite struct ProgramTests {
    private let rows = programExperiments(Bench.equipment())

    @Test func everyRowStandsBesideAnotherOrIsStoodBeside() {
        let all = exitExperiments(Bench.equipment()).map(\.subject.id) + rows.map(\.subject.id)
        #expect(Set(all).count == all.count)
        let besides = rows.compactMap(\.subject.beside)
        #expect(besides.allSatisfy(all.contains))
        #expect(rows.allSatisfy { $0.subject.beside != nil || besides.contains($0.subject.id) })
    }

    @Test func qemuStandsInTheTableOfItsOperation() throws {
        let row = try #require(rows.first { $0.subject.id == "exits/mmio-write/qemu-ring0" })
        let rig = try #require(exitExperiments(Bench.equipment()).first { $0.subject.id == "exits/mmio-write/ring0" })
        #expect(row.subject.what == rig.subject.what)
    }

    @Test func numbersAreRead() {
        let cycles = PrintedNumbers("frequency 2000000000\ncycles 4000 2 0\n", "cycles")
        #expect(cycles?.nanoseconds == [2000, 1, 0])
        #expect(PrintedNumbers("lateness 7 -30\n", "lateness")?.nanoseconds == [7, -30])
        #expect(PrintedNumbers("cycles\n", "cycles")?.values.isEmpty == true)
    }

    @Test(arguments: [
        "", "\n", "cycles-per-exit 5\n", "cycles 1 x 2\n", "cycles 1 0x2\n", "cycles 99999999999999999999\n",
    ])
    func whatIsNotALineOfNumbersIsNone(_ text: String) { #expect(PrintedNumbers(text, "cycles") == nil) }

    /// Words as the guest leaves them: little-endian, two for each sample.
    private func bytes(_ words: [UInt64]) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    }

    @Test func stampsAreReadFromMemory() throws {
        let stamps = try #require(QEMUExits.stamps(bytes([0x1_0203_0405, 0x1_0203_0406, 1 << 40, 1 << 41]), 2))
        #expect(stamps.map(\.start) == [0x1_0203_0405, 1 << 40])
        #expect(stamps.map(\.end) == [0x1_0203_0406, 1 << 41])
        #expect(QEMUExits.stamps(bytes([1, 2, 0, 0]), 1)?.count == 1)
    }

    @Test(
        arguments: [
            [1, 2], [1, 2, 3], [0, 0, 0, 0], [1, 2, 0, 0], [1, 2, 3, 3], [3, 4, 1, 2], [5, 4, 6, 7], [.max, 1, 2, 3],
        ] as [[UInt64]])
    func aGuestThatDidNotFinishLeavesNone(_ words: [UInt64]) { #expect(QEMUExits.stamps(bytes(words), 2) == nil) }

    @Test func whatIsNotBuiltIsSaid() {
        for row in rows where row is GuestSamples {
            let reason = Bench.reason { () throws(ExperimentError) in
                _ = try row.measure(Amount(samples: 1, warmUps: 0))
            }
            #expect(reason == " is not there: 'make bench' builds it")
        }
    }

    /// Not installed; another program.
    @Test(
        .requiresKVM,
        arguments: [
            ("/nowhere/qemu", "/nowhere/qemu is not there: Debian's package is qemu-system-x86"),
            ("/bin/false", "QEMU ended with status 1 and without the samples"),
            ("/bin/true", "QEMU ended with status 0 and without the samples"),
        ])
    func whyThereIsNothingOfQEMU(_ program: String, _ words: String) {
        var row = QEMUExits("port-write", Bench.equipment())
        row.qemu.program = program
        let reason = Bench.reason { () throws(ExperimentError) in _ = try row.measure(Amount(samples: 2, warmUps: 1)) }
        #expect(reason == words)
    }

    /// Killed by our limit or by anybody else: it should have worked.
    @Test func aQEMUThatIsKilledHasFailed() throws {
        let folder = ScratchFolder()
        let program = try folder.file("qemu", Array("#!/bin/sh\nkill -9 $$\n".utf8))
        #expect(chmod(program, 0o755) == 0)
        let qemu = QEMU(workshop: Bench.equipment().workshop, program: program)
        let reason = Bench.reason { () throws(ExperimentError) in _ = try qemu.run("hello", []) }
        #expect(reason?.hasPrefix("failed: QEMU was killed by ") == true, "\(reason ?? "")")
    }

    @Test(.requiresKVM, arguments: ["port-write", "port-read", "mmio-write"])
    func qemuGivesSamplesOrAReason(_ operation: String) throws {
        let row = QEMUExits(operation, Bench.equipment())
        do throws(ExperimentError) {
            let samples = try row.measure(Amount(samples: 30, warmUps: 3)).total
            #expect(samples.count == 30 && samples.allSatisfy { $0 > 0 && $0 < 1e9 })
        } catch {
            guard case .unavailable(let why) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(why.contains("QEMU") || why.contains("qemu"))
        }
    }
}

@Suite(.serialized) struct InterleavedRunsTests {
    private final class Log { var runs: [String] = [] }

    private let equipment = Equipment(
        workshop: Workshop(swiftlet: "", twin: "", guests: ""), images: ExitImages(folder: ""),
        cpu: allowedCPUs().first ?? 0, otherCPU: nil)

    @Test func programsTakeTurnsAndRowsShareTheirRuns() throws {
        let log = Log()
        let turns = InterleavedRuns(["a", "b"], equipment) { key throws(ExperimentError) in
            log.runs.append(key)
            return log.runs.count
        }
        let amount = Amount(samples: 2, warmUps: 1)
        #expect(try turns.values(of: "a", amount) == [4, 5])
        #expect(log.runs == ["a", "b", "b", "a", "a", "b"])
        #expect(try turns.values(of: "b", amount) == [3, 6])
        #expect(try turns.values(of: "a", amount) == [4, 5], "another row, or an attempt more, in the same repeat")
        #expect(log.runs.count == 6)
        let next = Amount(samples: 2, warmUps: 1, turn: 1)
        #expect(try turns.values(of: "a", next) == [10, 11], "the next repeat has runs of its own")
    }

    @Test func oneThatFailsDoesNotStopTheOther() throws {
        let log = Log()
        let turns = InterleavedRuns(["bad", "good"], equipment) { key throws(ExperimentError) in
            log.runs.append(key)
            if key == "bad" { throw .unavailable("not built") }
            return 1.0
        }
        let amount = Amount(samples: 3, warmUps: 0)
        let reason = Bench.reason { () throws(ExperimentError) in _ = try turns.values(of: "bad", amount) }
        #expect(reason == "not built")
        #expect(try turns.values(of: "good", amount).count == 3)
        #expect(log.runs.count { $0 == "bad" } == 1)
    }

    /// One accident: all are run again, so that what is compared is of one attempt.
    @Test func anAccidentHasAllRunAgain() throws {
        let log = Log()
        let runs = InterleavedRuns(["a", "b"], equipment) { key throws(ExperimentError) in
            log.runs.append(key)
            if log.runs.count == 3 { throw .failed("an accident of b's") }
            return log.runs.count
        }
        let amount = Amount(samples: 2, warmUps: 0)
        #expect(try runs.values(of: "a", amount) == [5, 8])
        #expect(try runs.values(of: "b", amount) == [6, 7])
        #expect(runs.repetitions == 1)
        #expect(log.runs == ["a", "b", "b", "a"] + ["a", "b", "b", "a"])
        #expect(try runs.values(of: "b", Amount(samples: 1, warmUps: 0, turn: 1)) == [10])
        #expect(runs.repetitions == 0)
    }

    /// It is given up, and the other goes on.
    @Test func whatAlwaysFailsIsNotRunForEver() throws {
        let log = Log()
        let runs = InterleavedRuns(["bad", "good"], equipment) { key throws(ExperimentError) in
            log.runs.append(key)
            if key == "bad" { throw .failed("always") }
            return 1.0
        }
        for turn in 0..<4 {
            let amount = Amount(samples: 2, warmUps: 0, turn: turn)
            let reason = Bench.reason { () throws(ExperimentError) in _ = try runs.values(of: "bad", amount) }
            #expect(reason == "failed: always")
            #expect(try runs.values(of: "good", amount).count == 2)
        }
        #expect(log.runs.count { $0 == "bad" } == 3)
    }

    @Test func theThreadIsOnItsCPUAgain() throws {
        let before = allowedCPUs()
        defer { try? keepThread(on: before) }
        var seen: [Int] = []
        let both = Equipment(
            workshop: equipment.workshop, images: equipment.images, cpu: before[0], otherCPU: before.last)
        try both.onBothCPUs { seen = allowedCPUs() }
        #expect(Set(seen) == [before[0], before[before.count - 1]])
        #expect(allowedCPUs() == [before[0]])
    }
}
