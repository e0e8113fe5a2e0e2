// Measuring: what samples say, what the probes' code is, and that no probe can hang.
//
// Read next: Sources/swiftlet-doctor/Measurements.swift.

import KVM
import Rig
import TestSupport
import Testing

@testable import swiftlet_doctor

@Suite struct SampleTests {
    @Test func medianAndTailAnOperation() throws {
        let samples = try #require(Samples(nanoseconds: Array(1...101).reversed(), operations: 1))
        #expect((samples.n, samples.median, samples.p99, samples.minimum) == (101, 51, 100, 1))
        let doorbells = try #require(Samples(nanoseconds: [5000, 4000, 3000], operations: 10, overhead: 1000))
        #expect((doorbells.median, doorbells.p99, doorbells.minimum) == (300, 300, 200))
    }

    @Test func noSampleNoNumber() {
        #expect(Samples(nanoseconds: []) == nil)
        #expect(Samples(nanoseconds: [5], overhead: 9)?.median == 0)
    }

    @Test(arguments: [
        (0.283, "0.28 ns"), (95.04, "95.0 ns"), (999, "999 ns"), (1234, "1.23 us"), (29_449, "29.4 us"),
        (721_000, "721 us"), (2_500_000, "2.5 ms"),
    ])
    func durations(_ nanoseconds: Double, _ text: String) { #expect(duration(nanoseconds) == text) }

    @Test func emulationByCounterOrByTime() {
        #expect(Measurements.isEmulated(403, 404, 0.3))
        #expect(!Measurements.isEmulated(1, 404, 5000))
        #expect(Measurements.isEmulated(nil, 404, 700))
        #expect(!Measurements.isEmulated(nil, 404, 5))
        #expect(!Measurements.isEmulated(nil, 404, nil))
    }
}

@Suite(.serialized) struct ProbeTests {
    @Test func jumpsLeadToTheStart() {
        #expect(ProbeCode.exits == [0xba, 0x20, 0x05, 0, 0, 0xef, 0xeb, 0xfd])
        let loop = ProbeCode.loop(iterations: 200)
        #expect(loop.suffix(2) == [0xeb, UInt8(bitPattern: Int8(-loop.count))])
    }

    /// An endless loop: the time limit ends it.
    @Test(.requiresKVM, arguments: CPUMode.allCases)
    func aProbeNeverHangs(_ mode: CPUMode) throws {
        let rig = try Rig(try KVM(), RigPlan(mode, code: [0xeb, 0xfe]))
        rig.limit(nanoseconds: 20_000_000)
        let error = #expect(throws: RigError.self) { try rig.run() }
        guard case .timedOut = error else {
            Issue.record("not a time-out: \(String(describing: error))")
            return
        }
    }

    @Test(.requiresKVM) func anExitIsSeenAsItIs() throws {
        let rig = try Rig(try KVM(), RigPlan(.ring3, code: ProbeCode.exits))
        rig.limit(nanoseconds: 2_000_000_000)
        for _ in 0..<3 {
            #expect(try rig.run() == .portWrite(port: ProbeCode.exitPort, size: 4, count: 1, value: 0))
        }
    }

    @Test(.requiresKVM) func thisHostIsMeasured() throws {
        let measurements = Measurements(try KVM())
        #expect(measurements.failures.isEmpty)
        #expect(measurements.exitFromRing3?.median ?? 0 > 0)
        #expect(measurements.ring3?.isEmulated == false)
        #expect(measurements.ioeventfd?.operationsPerSample == 1000)
    }
}
