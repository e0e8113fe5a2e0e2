// The rows of `bench startup`: that phases are read as programs tell them, and add up.
//
// Starts are bin/swiftlet's, as `make build` left it; the twin's where it is built. Read next: ProgramTests.swift.

import Foundation
import Glibc
import Host
import Subcommand
import TestSupport
import Testing

@testable import swiftlet_bench

@Suite(.serialized) struct StartupTests {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    private static let workshop = Workshop(
        swiftlet: getenv("SWIFTLET_BIN").map { String(cString: $0) } ?? root + "/bin/swiftlet",
        twin: root + "/benchmarks/build/twin", guests: root + "/guests/build")

    @Test func everyPhaseIsThereWarmAndColdAndBesideTheTwin() {
        let subjects = startupExperiments(Bench.equipment()).map(\.subject)
        let ids = Set(subjects.map(\.id))
        #expect(ids.count == subjects.count)
        #expect(subjects.compactMap(\.beside).allSatisfy(ids.contains))
        for name in ["process"] + Phase.ofStart.map(\.rawValue) {
            for starter in ["swiftlet", "twin", "swiftlet-cold", "twin-cold"] {
                #expect(ids.contains("startup/\(name)/\(starter)"))
            }
        }
        for phase in Phase.ofRestore.dropLast(2) { #expect(ids.contains("startup/restore-\(phase)/swiftlet")) }
        #expect(ids.isSuperset(of: ["startup/restore/swiftlet", "startup/restore/twin"]))
        #expect(subjects.allSatisfy { $0.group == .startup && !$0.hasFloor })
    }

    private static let line =
        #"{"phases":{"image_ns":20,"vm_ns":300,"load_ns":40,"vcpu_ns":5,"sandbox_ns":30,"run_ns":570},"start_ns":1010,"#
        + #""clock_zero_ns":1250,"written_ns":1990}"# + "\n"
    private static let output = "first-instruction 225\n" + line

    @Test func phasesAreReadAndAddUp() throws {
        let times = try #require(PhaseTimes(started: 1000, output: Self.output, ended: 2030))
        #expect(Phase.ofStart.map { times[$0] } == [10, 20, 300, 40, 5, 30, 70, 500, 40])
        // All but the 15 ns in which the program wrote its line.
        #expect(times.sum == 2030 - 1000 - 15)
        #expect(times.untilFirstAct == 475)
    }

    /// A restored guest's clock began before its process did.
    @Test func aRestoresPhasesAreReadToo() throws {
        let restored =
            Self.output.replacing(#""image_ns":20"#, with: #""snapshot_ns":15,"map_ns":5"#)
            .replacing(#","load_ns":40"#, with: "").replacing("1250", with: "250")
            .replacing("instruction 225", with: "instruction 1225")
        let times = try #require(PhaseTimes(Phase.ofRestore, started: 1000, output: restored, ended: 2030))
        #expect(Phase.ofRestore.map { times[$0] } == [10, 15, 5, 300, 5, 30, 110, 460, 40])
        #expect(PhaseTimes(started: 1000, output: restored, ended: 2030) == nil, "a start has other phases")
        #expect(PhaseTimes(Phase.ofRestore, started: 1000, output: Self.output, ended: 2030) == nil)
    }

    /// Not read: without either line, with another program's, with a number that is none.
    @Test(arguments: [
        "", "first-instruction 5\n", line, "first-instruction x\n" + line, "first-instruction -5\n" + line,
        "first-instruction 5\n{}\n", "first-instruction 5\n" + line.dropLast(3),
        output.replacing("\"vm_ns\"", with: "\"other_ns\""), output.replacing("300", with: "-300"),
    ])
    func whatAProgramDidNotTellIsNotInvented(_ output: String) {
        #expect(PhaseTimes(started: 1000, output: output, ended: 2030) == nil)
    }

    /// A program that started before it was started, a guest before its machine, an end before the last word.
    @Test(
        arguments: [(1011, 225, 2030), (1000, 124, 2030), (1000, 726, 2030), (1000, 225, 1989)]
            as [(UInt64, Int, UInt64)])
    func clocksThatContradictEachOtherGiveNothing(_ started: UInt64, _ first: Int, _ ended: UInt64) {
        let output = "first-instruction \(first)\n" + Self.line
        #expect(PhaseTimes(started: started, output: output, ended: ended) == nil)
    }

    private static func isBuilt(_ program: StartedProgram) -> Bool {
        workshop.isFile(program.command(workshop, "first").program)
    }

    @Test(.requiresKVM, .enabled(if: isBuilt(.swiftlet), "'make build' builds it"))
    func realPhasesAreLessThanTheWhole() throws { try checkPhases(.swiftlet) }

    @Test(.requiresKVM, .enabled(if: isBuilt(.twin), "'make bench' builds it"))
    func theTwinsPhasesAreLessThanTheWhole() throws { try checkPhases(.twin) }

    private func checkPhases(_ program: StartedProgram) throws {
        let command = program.command(Self.workshop, "first")
        let before = Clock.monotonic()
        let times = try Self.workshop.phases(of: command)
        let whole = Double(Clock.monotonic() - before)
        #expect(times.sum > 0 && times.sum <= whole)
        #expect(Phase.ofStart.allSatisfy { times[$0] > 0 }, "\(times)")
    }

    @Test(.requiresKVM, .enabled(if: isBuilt(.swiftlet) && isBuilt(.twin), "'make bench' builds them"))
    func aRestoreReachesItsGuest() throws {
        let folder = ScratchFolder()
        try FileManager.default.copyItem(
            atPath: Self.workshop.image("first"), toPath: "\(folder.path)/first.elf")
        let workshop = Workshop(swiftlet: Self.workshop.swiftlet, twin: Self.workshop.twin, guests: folder.path)
        let files = SnapshotFiles(workshop)
        for side in [RestoreSide.swiftlet, .twin] {
            let times = try side.times(workshop, files)
            #expect(times.untilFirstAct > 0 && times.untilFirstAct < times.sum)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left.sorted() == ["first-16.snapshot", "first.elf"])
    }

    /// Its output is thrown away while it is timed: what it is must be asked before.
    @Test func aProgramThatIsNoSwiftletIsNotTimed() {
        let workshop = Workshop(swiftlet: "/bin/true", twin: "/bin/echo", guests: "/nowhere")
        for host in [Workshop.Host.swiftlet, .twin] {
            #expect(throws: SubcommandError.self) { try workshop.checkGreeting(host) }
        }
        let equipment = Equipment(
            workshop: workshop, images: ExitImages(folder: "/nowhere"), cpu: allowedCPUs().last ?? 0, otherCPU: nil)
        let row = startupExperiments(equipment).first { $0.subject.id == "startup/process/swiftlet" }
        let reason = Bench.reason { () throws(ExperimentError) in
            _ = try row?.measure(Amount(samples: 1, warmUps: 0))
        }
        #expect(reason?.contains("does not print what the guest hello says") == true, "\(reason ?? "")")
    }

    /// The copies run; the files themselves are left alone.
    @Test(.requiresKVM) func aColdStartIsThatOfACopy() throws {
        let command = StartedProgram.swiftlet.command(Self.workshop, "first")
        let cold: Command
        do throws(ExperimentError) { cold = try ColdCopies(Self.workshop).evicted(command) } catch {
            guard case .unavailable(let why) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(why.contains("stay in the page cache"))
            return
        }
        #expect(cold.program.hasPrefix("/proc/") && cold.arguments[0] == "run")
        #expect(cold.arguments[1].hasPrefix("/proc/") && cold.arguments[1] != cold.program)
    }

    @Test(.requiresKVM) func aCopyIsStarted() throws {
        let copies = ColdCopies(Self.workshop)
        let command = try copies.copied(StartedProgram.swiftlet.command(Self.workshop, "first"))
        #expect(try Self.workshop.phases(of: command).sum > 0)
        #expect(try copies.copied(StartedProgram.swiftlet.command(Self.workshop, "first")) == command, "made once")
    }

    @Test func whatIsNotBuiltIsNotHereAndWhy() throws {
        let nowhere = Equipment(
            workshop: Workshop(swiftlet: "/nowhere/swiftlet", twin: "/nowhere/twin", guests: "/nowhere"),
            images: ExitImages(folder: "/nowhere"), cpu: allowedCPUs().first ?? 0, otherCPU: nil)
        for row in startupExperiments(nowhere) where !row.subject.id.hasSuffix("qemu") {
            let reason = Bench.reason { () throws(ExperimentError) in
                _ = try row.measure(Amount(samples: 1, warmUps: 0))
            }
            #expect(reason?.hasSuffix(" is not there: 'make bench' builds it") == true, "\(reason ?? "")")
        }
    }

    @Test func theFloorLiesBesideTheTwin() {
        #expect(Workshop(swiftlet: "", twin: "a/b/twin", guests: "").nothing == "a/b/nothing")
        #expect(Workshop(swiftlet: "", twin: "/twin", guests: "").nothing == "/nothing")
        #expect(Workshop(swiftlet: "", twin: "twin", guests: "").nothing == "nothing")
    }
}
