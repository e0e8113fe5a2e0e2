// What this host's KVM costs: an exit, a doorbell, and whether ring 0 runs or is emulated.
//
// Each number comes from a machine of its own that lives for some milliseconds. The clock is the TSC around KVM_RUN,
// without warm-up; medians, because other work on the host only ever makes a sample longer. A series ends after a number
// of samples or a time, whichever comes first. Read next: Diagnosis.swift.

import Host
import KVM
import Rig
import X86

struct Measurements: Encodable, Equatable, Sendable {
    /// A port exit to user space and back, from 64-bit ring 3.
    var exitFromRing3: Samples?
    /// The same from ring 0.
    var exitFromRing0: Samples?
    /// A port write from ring 3 that signals an eventfd inside the kernel.
    var ioeventfd: Samples?
    var ring3: Execution?
    var ring0: Execution?
    /// Hz; of the guest's TSC, which is the host's.
    var tscFrequency: UInt64?
    var failures: [Failure] = []

    /// A measurement that did not come off.
    struct Failure: Encodable, Equatable, Sendable {
        enum What: String, Encodable, Sendable {
            /// Then no guest can run.
            case ring3 = "ring 3"
            case ring0 = "ring 0"
            case ioeventfd
        }

        var what: What
        var why: String
        /// Something else has the CPU's virtualization.
        var isBusy = false
    }

    /// How a loop of some 400 simple instructions ran.
    struct Execution: Encodable, Equatable, Sendable {
        var instructions: Int
        /// By KVM's counter `insn_emulation`; nil when this kernel has no such counter.
        var emulated: UInt64?
        /// The whole loop, the exit behind it taken off, for each instruction.
        var time: Samples?
        var isEmulated: Bool
    }
}

extension Measurements {
    private static let samples = 2000
    private static let timeForSeries: UInt64 = 700_000_000
    private static let timeForProbe: UInt64 = 2_000_000_000

    /// Measures; at most ten seconds.
    init(_ kvm: borrowing KVM) {
        self.init()
        do throws(RigError) {
            exitFromRing3 = try exits(kvm, .ring3)
            ring3 = try execution(kvm, .ring3, exit: exitFromRing3)
        } catch { failures.append(Failure(.ring3, error)) }
        do throws(RigError) {
            exitFromRing0 = try exits(kvm, .ring0)
            ring0 = try execution(kvm, .ring0, exit: exitFromRing0)
        } catch { failures.append(Failure(.ring0, error)) }
        do throws(RigError) {
            ioeventfd = try doorbells(kvm, exit: exitFromRing3)
        } catch { failures.append(Failure(.ioeventfd, error)) }
    }

    private mutating func exits(_ kvm: borrowing KVM, _ mode: CPUMode) throws(RigError) -> Samples? {
        let rig = try Rig(kvm, RigPlan(mode, code: ProbeCode.exits))
        return Samples(nanoseconds: try times(rig))
    }

    private mutating func execution(
        _ kvm: borrowing KVM, _ mode: CPUMode, exit: Samples?
    ) throws(RigError) -> Execution {
        let iterations = 200
        let rig = try Rig(kvm, RigPlan(mode, code: ProbeCode.loop(iterations: UInt32(iterations))))
        let counters = try? rig.vcpu.openStatistics()
        let before = emulated(counters)
        let times = try times(rig, count: 40)
        let instructions = 2 * iterations + ProbeCode.loopOverhead
        let time = Samples(nanoseconds: times, operations: instructions, overhead: exit?.median ?? 0)
        let perLoop = emulated(counters).flatMap { after in before.map { (after &- $0) / UInt64(max(1, times.count)) } }
        return Execution(
            instructions: instructions, emulated: perLoop, time: time,
            isEmulated: Self.isEmulated(perLoop, instructions, time?.median))
    }

    /// By the counter; without one by time: a native instruction never takes 100 ns, an emulated one always does.
    static func isEmulated(_ emulated: UInt64?, _ instructions: Int, _ nanoseconds: Double?) -> Bool {
        if let emulated { return emulated >= UInt64(instructions) / 2 }
        return (nanoseconds ?? 0) > 100
    }

    private func emulated(_ counters: borrowing StatisticsFile?) -> UInt64? {
        guard let statistics = try? counters?.read() else { return nil }
        return statistics.values["insn_emulation"]
    }

    private mutating func doorbells(_ kvm: borrowing KVM, exit: Samples?) throws(RigError) -> Samples? {
        let count = 1000
        let event: EventFD
        do throws(KVMError) { event = try EventFD() } catch { throw .machine(.kvm(error)) }
        let rig = try Rig(kvm, RigPlan(.ring3, code: ProbeCode.doorbells(count: UInt32(count))))
        do throws(KVMError) { try rig.vm.attach(event, to: .port(ProbeCode.doorbellPort, size: 4)) } catch {
            throw .machine(.kvm(error))
        }
        let times = try times(rig, count: 50)
        let rung = event.take()
        guard rung == UInt64(count * times.count) else {
            failures.append(Failure(what: .ioeventfd, why: "it rang \(rung) times, not \(count * times.count)"))
            return nil
        }
        return Samples(nanoseconds: times, operations: count, overhead: exit?.median ?? 0)
    }

    /// Runs to the exit, again and again: nanoseconds each.
    private mutating func times(_ rig: borrowing Rig, count: Int = samples) throws(RigError) -> [UInt64] {
        let frequency = UInt64((try? rig.vcpu.tscKilohertz()) ?? 0) * 1000
        tscFrequency = frequency
        let clock = PVClock(frequency: frequency)
        var list: [UInt64] = []
        list.reserveCapacity(count)
        rig.limit(nanoseconds: Self.timeForProbe)
        let end = Clock.monotonic() + Self.timeForSeries
        while list.count < count, list.isEmpty || Clock.monotonic() < end {
            let start = Clock.tsc()
            let exit = try rig.run()
            let stop = Clock.tsc()
            guard case .portWrite(ProbeCode.exitPort, 4, 1, _) = exit else { throw .unexpected(exit) }
            list.append(clock.nanoseconds(cycles: stop &- start))
        }
        return list
    }
}

extension Measurements.Failure {
    fileprivate init(_ what: What, _ error: RigError) {
        self.what = what
        why =
            switch error {
            case .machine(.kvm(let error)), .failed(let error): "\(error.request): \(errnoText(error.errno))"
            case .machine(let error): error.message
            case .timedOut: "no exit within two seconds"
            case .unexpected(let exit): "an unexpected exit: \(exit)"
            }
        if case .machine(.kvm(let error)) = error { isBusy = error.errno == 16 }  // EBUSY
    }
}
