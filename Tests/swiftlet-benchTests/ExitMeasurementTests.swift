// The rows of `bench exits`, measured on this host: samples or a reason, and an end in any case.
//
// Read next: Sources/swiftlet-bench/Exits/RigExperiment.swift.

import Glibc
import Host
import KVM
import Measure
import Rig
import TestSupport
import Testing

@testable import swiftlet_bench

@Suite(.serialized) struct ExitMeasurementTests {
    private static let cpus = allowedCPUs()

    /// A guest of these bytes, in a folder of its own.
    private func row(_ code: [UInt8], _ mode: CPUMode = .ring3, in folder: ScratchFolder) throws -> RigExperiment {
        #expect(mkdir("\(folder.path)/exits", 0o755) == 0)
        let suffix = mode == .real ? "-real" : ""
        _ = try folder.file("exits/odd\(suffix).bin", code)
        var row = RigExperiment(ExitImages(folder: folder.path), "odd", "odd", mode, .guest)
        row.limit = 30_000_000
        return row
    }

    private func cleanUp(_ folder: ScratchFolder, _ mode: CPUMode = .ring3) {
        unlink("\(folder.path)/exits/odd\(mode == .real ? "-real" : "").bin")
        rmdir("\(folder.path)/exits")
    }

    private func reason(_ row: any Experiment) -> String? {
        Bench.reason { () throws(ExperimentError) in _ = try row.measure(Amount(samples: 4, warmUps: 1)) }
    }

    /// As many as were asked for, none before the Big Bang, and none for an operation that this host lacks. Only a timer may
    /// be early.
    @Test(.requiresKVM, arguments: exitExperiments(Bench.equipment()).map(\.subject.id))
    func everyRowGivesSamplesOrAReason(_ id: String) throws {
        let equipment = Bench.equipment(otherCPU: Self.cpus.count > 1 ? Self.cpus.first : nil)
        let row = try #require(exitExperiments(equipment).first { $0.subject.id == id })
        let amount = Amount(samples: 40, warmUps: 20)
        let samples: Samples
        do throws(ExperimentError) { samples = try row.measure(amount) } catch {
            guard case .unavailable(let why) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(why.utf8.count > 10)
            return
        }
        let divisor = (row as? RigExperiment)?.divisor ?? (row as? IRQFD)?.waiting.divisor ?? 1
        for part in samples.parts { #expect(part.values.count == 40 / divisor, "\(part.name)") }
        let isLateness = id.contains("timer")
        #expect(samples.total.allSatisfy { $0 > (isLateness ? -1e8 : 0) && $0 < 1e9 })
    }

    @Test(.requiresKVM, arguments: ["port-write", "port-read", "mmio-write", "call"])
    func theThreePartsAreTheTotal(_ name: String) throws {
        let row = try #require(exitExperiments(Bench.equipment()).first { $0.subject.id == "exits/\(name)/ring3" })
        let parts = try row.measure(Amount(samples: 50, warmUps: 5)).parts
        try #require(parts.map(\.name) == [.total, .toHost, .handler, .toGuest])
        for index in 0..<50 {
            let sum = parts[1].values[index] + parts[2].values[index] + parts[3].values[index]
            #expect(abs(sum - parts[0].values[index]) < 0.01)
        }
    }

    /// How many exits to user space there are: none where the kernel answers, one of 170 where it keeps writes in a ring.
    @Test(
        .requiresKVM,
        arguments: [
            ("port-write", 340), ("ioeventfd-pio", 0), ("coalesced-pio", 2), ("pic-read", 0), ("mmio-write", 340),
            ("ioeventfd-mmio", 0), ("ioeventfd-mmio-any", 0), ("coalesced-mmio", 2), ("apic-read", 0),
            ("interrupt", 340),
        ])
    func whoAnswersIsWhoTheRowSays(_ name: String, _ exits: Int) throws {
        let experiment = exitExperiments(Bench.equipment()).first { $0.subject.id == "exits/\(name)/ring3" }
        var row = try #require(experiment as? RigExperiment)
        row.evaluate = { trips, _, _ throws(ExperimentError) in Samples(total: [Double(trips.host.count)]) }
        #expect(try row.measure(Amount(samples: 340, warmUps: 0)).total == [Double(exits)])
    }

    @Test(.requiresKVM, arguments: CPUMode.allCases)
    func aGuestThatLoopsForEverEndsByTheLimit(_ mode: CPUMode) throws {
        let folder = ScratchFolder()
        defer { cleanUp(folder, mode) }
        let start = Clock.monotonic()
        #expect(
            reason(try row([0xeb, 0xfe], mode, in: folder)) == "no exit within the time limit: this KVM spins in it")
        #expect(Clock.monotonic() - start < 2_000_000_000)
    }

    @Test(.requiresKVM) func anExceptionThatNobodyHandlesIsNamed() throws {
        let folder = ScratchFolder()
        defer { cleanUp(folder) }
        let handlers: [UInt8] = [0xeb, 0x0e] + [UInt8](repeating: 0, count: 14)  // none: exits.h, BEGIN
        #expect(reason(try row(handlers + [0x0f, 0x0b], in: folder)) == "#UD (vector 6) in the guest")
    }

    @Test(.requiresKVM) func aGuestThatIsNotThereIsAFailure() {
        let row = RigExperiment(ExitImages(folder: "/nowhere"), "odd", "odd", .ring3, .guest)
        #expect(reason(row)?.hasSuffix("'make guests' builds it") == true)
    }

    @Test(.requiresKVM, arguments: CPUMode.allCases)
    func aSecondThreadNeedsASecondCPU(_ mode: CPUMode) {
        let alone = Bench.equipment(otherCPU: nil)
        let rows: [any Experiment] =
            [SharedMemory(alone, mode), Kick(alone, mode)] + (mode == .real ? [] : [IRQFD(alone, mode, .spinning)])
        for row in rows { #expect(reason(row) == "needs a second CPU, for the thread on the other side") }
    }
}
