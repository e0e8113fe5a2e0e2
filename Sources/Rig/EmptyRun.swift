// What an exit costs when the guest does nothing but leave: hardware and kernel, without guest and handler.
//
// `run --stats` divides KVM_RUN's time by it. Read next: swiftlet/RunCommand.swift.

import Host
import KVM

/// TSC cycles of such a KVM_RUN: the first decile of 128, because a busy host makes half of all samples slow for a while. Nil
/// when it cannot be measured.
public func emptyRun() -> UInt64? {
    do {
        let code: [UInt8] = [0xef, 0xeb, 0xfd]  // out %eax, (%dx); jmp to the out
        let rig = try Rig(try KVM(), RigPlan(.ring3, code: code))
        rig.limit(nanoseconds: 100_000_000)
        let samples = try (0..<128).map { _ in
            let start = Clock.tsc()
            _ = try rig.run()
            return Clock.tsc() &- start
        }
        return samples.sorted()[12]
    } catch { return nil }
}
