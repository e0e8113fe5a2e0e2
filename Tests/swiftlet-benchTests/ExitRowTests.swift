// The rows of `bench exits`: that each is there and says what it says, without a machine.
//
// Read next: ExitMeasurementTests.swift.

import KVM
import Measure
import Rig
import Testing

@testable import swiftlet_bench

/// Guests as `make guests` left them, and two CPUs where there are two.
enum Bench {
    static let guests = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/guests/build"

    static func equipment(guests: String = guests, otherCPU: Int? = 0) -> Equipment {
        Equipment(
            workshop: Workshop(swiftlet: "", twin: "", guests: guests), images: ExitImages(folder: guests), cpu: 0,
            otherCPU: otherCPU)
    }

    static func reason(_ body: () throws(ExperimentError) -> Void) -> String? {
        do throws(ExperimentError) { try body() } catch {
            switch error {
            case .unavailable(let why): return why
            case .failed(let why): return "failed: \(why)"
            }
        }
        return nil
    }
}

@Suite struct ExitRowTests {
    private let experiments = exitExperiments(Bench.equipment())
    private var names: [String] {
        var names: [String] = []
        for id in experiments.map({ $0.subject.id.split(separator: "/")[1] }) where names.last != String(id) {
            names.append(String(id))
        }
        return names
    }

    @Test func everyOperationHasARowForEachMode() {
        #expect(Set(experiments.map(\.subject.id)).count == experiments.count)
        #expect(experiments.map(\.subject.variant) == names.flatMap { _ in ["ring3", "ring0", "real"] })
    }

    @Test func whatTheKernelAnswersStandsBesideUserSpace() {
        func follows(_ order: [String]) -> Bool {
            guard let start = names.firstIndex(of: order[0]) else { return false }
            return Array(names[start...].prefix(order.count)) == order
        }
        #expect(follows(["port-write", "ioeventfd-pio", "coalesced-pio"]))
        #expect(follows(["mmio-write", "ioeventfd-mmio", "ioeventfd-mmio-any", "coalesced-mmio"]))
        #expect(follows(["msr-read", "msr-read-user", "msr-write", "msr-write-user"]))
        #expect(follows(["divide-error", "invalid-opcode", "page-fault"]))
    }

    /// Nothing is tried: without guests a row that tries fails.
    @Test(arguments: ["hlt/ring3", "msr-write-user/ring3", "page-fault/real", "irqfd/real", "timer-deadline/ring3"])
    func whatTheArchitectureForbidsIsSaidInWords(_ row: String) throws {
        let nowhere = exitExperiments(Bench.equipment(guests: "/nowhere"))
        let experiment = try #require(nowhere.first { $0.subject.id == "exits/\(row)" })
        let reason = Bench.reason { () throws(ExperimentError) in
            _ = try experiment.measure(Amount(samples: 1, warmUps: 0))
        }
        #expect(reason?.contains("#GP") == true || reason?.contains("real mode") == true, "\(reason ?? "measured")")
    }

    @Test(arguments: [
        (RigError.unexpected(.portWrite(port: 13, size: 4, count: 1, value: 0)), "#GP (vector 13) in the guest"),
        (.unexpected(.portWrite(port: 6, size: 2, count: 1, value: 0)), "#UD (vector 6) in the guest"),
        (.unexpected(.portWrite(port: 31, size: 4, count: 1, value: 0)), "exception (vector 31) in the guest"),
        (.unexpected(.shutdown), "a triple fault in the guest"),
        (.timedOut, "no exit within the time limit: this KVM spins in it"),
    ])
    func reasonsAreWords(_ error: RigError, _ words: String) {
        #expect(Bench.reason { () throws(ExperimentError) in throw ExperimentError(error) } == words)
    }

    @Test func anOrdinaryExitIsNoException() {
        let error = RigError.unexpected(.portWrite(port: 0xe9, size: 4, count: 1, value: 0))
        let reason = Bench.reason { () throws(ExperimentError) in throw ExperimentError(error) }
        #expect(reason?.hasPrefix("this KVM answers with another exit: ") == true)
    }

    @Test func countersBecomeANote() {
        func note(_ exits: UInt64, _ emulated: UInt64) -> String {
            ExitCount(exits: 5, emulated: 7).note(
                until: ExitCount(exits: 5 + exits + 1, emulated: 7 + emulated), operations: 10)
        }
        #expect(note(10, 0) == "KVM counted 1.0 exits a sample")
        #expect(note(655, 20) == "KVM counted 65.5 exits a sample and emulated 2.0 instructions")
        #expect(note(0, 190) == "KVM counted 0.0 exits a sample and emulated 19.0 instructions")
        #expect(note(0, 0) == "KVM counted 0.0 exits a sample: it never reaches this KVM")
    }

    @Test func aRowKeepsTheFirstNote() {
        var subject = Subject(.exits, "x", "x", "ring3", .kernel)
        subject.note = "its own"
        var row = Row(subject)
        for note in ["seen", "seen later"] {
            var samples = Samples(total: [1])
            samples.note = note
            row.add(samples, floor: nil)
        }
        #expect(row.subject.note == "its own; seen")
    }

    @Test func slowOperationsTakeAPart() {
        let amount = Amount(samples: 1000, warmUps: 100).divided(by: 20)
        #expect((amount.samples, amount.warmUps) == (50, 5))
        #expect(Amount(samples: 3, warmUps: 0).divided(by: 20).samples == 1)
    }
}
