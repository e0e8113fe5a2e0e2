// The rows of `bench devices`: that all stand beside the process, and that each gives what it was asked for.
//
// Guests are run by bin/swiftlet, as `make build` left it; the process's rows where `make bench` has built it.
// Read next: StartupTests.swift.

import Glibc
import Host
import TestSupport
import Testing

@testable import swiftlet_bench

@Suite(.serialized) struct DeviceMeasurementTests {
    private static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    private static let workshop = Workshop(
        swiftlet: getenv("SWIFTLET_BIN").map { String(cString: $0) } ?? root + "/bin/swiftlet",
        twin: root + "/benchmarks/build/twin", guests: root + "/guests/build")

    private static var rows: [any Experiment] {
        let cpus = allowedCPUs()
        return deviceExperiments(
            Equipment(
                workshop: workshop, images: ExitImages(folder: workshop.guests), cpu: cpus.last ?? 0,
                otherCPU: cpus.count > 1 ? cpus.first : nil))
    }

    private static func isBuilt(_ program: String) -> Bool { workshop.isFile(program) }

    @Test func everyRowStandsBesideTheProcess() {
        let subjects = Self.rows.map(\.subject)
        let ids = Set(subjects.map(\.id))
        #expect(ids.count == subjects.count && ids.count == DeviceTask.allCases.count * 4 - 2)
        for subject in subjects {
            let process = subject.id.split(separator: "/").dropLast().joined(separator: "/") + "/process"
            #expect(
                ids.contains(process) && (subject.id == process ? subject.beside == nil : subject.beside == process))
            #expect(subject.group == .devices && !subject.hasFloor)
            #expect(subject.operations < 1000, "a tap's queue loses what is more")
        }
    }

    /// Whatever thread measures is left on the CPUs that it had.
    private func measure(_ id: String) throws {
        let cpus = allowedCPUs()
        defer { try? keepThread(on: cpus) }
        let row = try #require(Self.rows.first { $0.subject.id == id })
        let samples = try row.measure(Amount(samples: 3, warmUps: 1)).total
        #expect(samples.count == 3 && samples.allSatisfy { $0 > 0 }, "\(samples)")
    }

    @Test(
        .requiresKVM, .enabled(if: isBuilt(workshop.swiftlet), "'make build' builds it"), arguments: ["ring", "call"])
    func aDiskIsMeasured(how: String) throws { try measure("devices/block-read/\(how)") }

    @Test(
        .requiresKVM, .requiresTaps, .enabled(if: isBuilt(workshop.swiftlet), "'make build' builds it"),
        arguments: ["ring", "call"])
    func framesThatAreSentAreMeasured(how: String) throws { try measure("devices/net-send/\(how)") }

    @Test(
        .requiresKVM, .requiresTaps,
        .enabled(if: isBuilt(workshop.swiftlet) && isBuilt(workshop.cProgram("devices")), "'make bench' builds them"),
        arguments: ["ring", "call"])
    func framesThatWaitAreMeasured(how: String) throws { try measure("devices/net-receive/\(how)") }

    @Test(
        .requiresTaps, .enabled(if: isBuilt(workshop.cProgram("devices")), "'make bench' builds it"),
        arguments: ["process", "process-uring"], DeviceTask.allCases)
    func aProcessIsMeasured(how: String, task: DeviceTask) throws { try measure("devices/\(task.rawValue)/\(how)") }

    @Test func aDiskIsMadeOnceAndWhole() throws {
        let folder = ScratchFolder()
        let workshop = Workshop(swiftlet: "", twin: "", guests: folder.path)
        _ = try folder.file("disk-1.bench", [1, 2, 3])
        let path = try workshop.disk(mebibytes: 1)
        let made = try File.regular(path)
        #expect(try made.size() == 1 << 20 && made.read(at: 1 << 20 - 1, 2) == [1])
        let stamp = try made.stamp()
        #expect(try workshop.disk(mebibytes: 1) == path && File.regular(path).stamp() == stamp)
    }
}
