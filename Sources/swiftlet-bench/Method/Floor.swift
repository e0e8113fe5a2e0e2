// The floor under every exit: KVM_RUN with immediate_exit set, which goes into the kernel, loads the vCPU, sees the wish
// and comes back with EINTR. No guest instruction runs (KVM API, "immediate_exit").
//
// Read next: Exits/RigExperiment.swift.

import Host
import KVM
import Measure
import Rig

/// A vCPU that is never run.
struct Floor: ~Copyable {
    private let rig: Rig

    init(_ kvm: borrowing KVM) throws(ExperimentError) {
        do throws(RigError) { rig = try Rig(kvm, RigPlan(.ring3, code: [])) } catch { throw ExperimentError(error) }
    }

    /// Nanoseconds of each of `count` runs.
    func samples(_ count: Int) -> [Double] {
        rig.vcpu.immediateExit = true
        return (0..<count).map { _ in
            let start = Clock.tsc()
            _ = rig.vcpu.run()
            return rig.nanoseconds(Clock.tsc() &- start)
        }
    }

    /// Nanoseconds: by how much two readings of the TSC in a row differ (median). It is what a reading takes, or the step of a TSC
    /// that counts a slower clock (100 MHz is common; a second reading within a step is then one more than the first).
    var clockStep: Double {
        let readings = (0..<10_000).map { _ in Clock.tsc() }
        let steps = zip(readings.dropFirst(), readings).map { Double($0 &- $1) }.filter { $0 > 0 }
        return percentile(0.5, ofSorted: steps.sorted()) * rig.nanoseconds(1)
    }

    /// Their median, after a few that do not count.
    func median(_ count: Int = 100) -> Double {
        percentile(0.5, ofSorted: samples(count + 10).dropFirst(10).sorted())
    }
}
