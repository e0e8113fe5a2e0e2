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

    /// Warm-ups must leave room for what counts.
    @Test(arguments: [
        (1000, 100, 1000, 100), (3984, 100, 3984, 100), (20_000, 2000, 3676, 408), (1_000_000, 100_000, 3676, 408),
        (100_000, 0, 4084, 0),
    ])
    func amountsFitTheRig(_ samples: Int, _ warmUps: Int, _ fittingSamples: Int, _ fittingWarmUps: Int) {
        let amount = Amount(samples: samples, warmUps: warmUps, turn: 7).fitting(RigMap.capacity)
        #expect((amount.samples, amount.warmUps, amount.turn) == (fittingSamples, fittingWarmUps, 7))
    }

    /// Where zero is the deadline a ratio says nothing.
    @Test func latenessHasNoFloor() {
        let all = experiments + programExperiments(Bench.equipment())
        let lateness = all.map(\.subject).filter { $0.id.contains("timer") }
        #expect(lateness.count == 8)
        for subject in lateness where subject.id.hasPrefix("exits/timer-call/") || subject.id.hasSuffix("ring0") {
            #expect(!subject.hasFloor, "\(subject.id)")
        }
    }

    @Test func partnersAreMeasuredSideBySide() throws {
        let ids = MeasureOptions.allExperiments(Bench.equipment()).map(\.subject.id)
        let expected =
            exitExperiments(Bench.equipment()) + programExperiments(Bench.equipment())
            + memoryExperiments(Bench.equipment()) + deviceExperiments(Bench.equipment())
            + startupExperiments(Bench.equipment())
        #expect(Set(ids) == Set(expected.map(\.subject.id)) && ids.count == expected.count)
        for subject in expected.map(\.subject) {
            guard let beside = subject.beside else { continue }
            let (row, partner) = (
                try #require(ids.firstIndex(of: subject.id)), try #require(ids.firstIndex(of: beside))
            )
            // Between them at most others that have the same partner.
            let sharing = expected.count { $0.subject.beside == beside }
            #expect(abs(row - partner) <= sharing, "\(subject.id) is \(row), \(beside) is \(partner)")
        }
    }

    @Test(arguments: [
        ("200000\n", "after 500 us of HLT, when KVM has put the vCPU's thread to sleep (kvm.halt_poll_ns is 200000)"),
        ("500000\n", "after 500 us of HLT, when KVM may still poll (kvm.halt_poll_ns is 500000)"),
        (nil, "after 500 us of HLT; how long this KVM polls before the vCPU's thread sleeps is not known"),
    ])
    func whetherAHaltedThreadSleepsIsSaid(_ parameter: String?, _ note: String) {
        #expect(IRQFD.haltNote(parameter) == note)
    }

    /// EINVAL is a KVM that does not know the request; EFAULT is a mistake of ours.
    @Test func whatKVMRefusesIsNotAFailure() {
        func reason(_ errno: Int32) -> String? {
            Bench.reason { () throws(ExperimentError) in
                _ = try tryKVM({ () throws(KVMError) -> Int in throw KVMError("KVM_IOEVENTFD", errno: errno) }())
            }
        }
        #expect(reason(22) == "this KVM refuses KVM_IOEVENTFD: Invalid argument")
        #expect(reason(14) == "failed: KVM_IOEVENTFD: Bad address")
        let rig = RigError.machine(.kvm(KVMError("KVM_CREATE_IRQCHIP", errno: 25)))
        #expect(
            Bench.reason { () throws(ExperimentError) in throw ExperimentError(rig) }?.hasPrefix("this KVM refuses")
                == true)
    }
}
