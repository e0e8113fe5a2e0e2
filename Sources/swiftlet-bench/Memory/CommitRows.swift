// Page-table commits: the guest edits entries of its own tables, then asks for them to count. As the guest sees it.
//
// A commit is one exit whatever the batch, so it grows with what the CPU or KVM has to learn anew: `commit-touch` reads each
// page behind the commit. The commit itself is Sources/VMM/RunLoop.swift's. Read next: TLBRows.swift.

import Host
import KVM
import Rig
import X86

struct CommitExperiment: Experiment {
    var subject: Subject
    let operation: String
    let entries: Int
    let images: ExitImages

    init(_ images: ExitImages, _ entries: Int, touches: Bool) {
        operation = touches ? "commit-touch" : "commit"
        let reads = touches ? ", commit, read each page" : ", commit"
        subject = Subject(.memory, operation, "edit page-table entries\(reads)", "\(entries)", .user)
        self.entries = entries
        self.images = images
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.atMost(entries > 100 ? 20 : 100)
        let mapping = try tryHost(try HostMapping(.anonymous, size: 2 << 20))
        try tryHost(try mapping.populate())
        var plan = RigPlan(.ring3, code: try images.code(operation, .ring3))
        plan.slots = [mapping.slot()]
        plan.smallPages = RigMap.tested..<RigMap.tested + UInt64(mapping.size)
        let rig = try tryRig(try Rig(try openKVM(), plan))
        guard let table = rig.pageTable(of: RigMap.tested) else { throw .failed("the rig has no table there") }
        rig.limit(nanoseconds: 2_000_000_000)
        let trips = try tryRig(
            try rig.collect(amount.total, operand: table | UInt64(entries)) { exit, rig in
                exit.isWrite(to: RigMap.port) && rig.vcpu.commitPageTables()
            })
        return Samples(trips, of: rig, dropping: amount.warmUps)
    }
}

extension VCPU {
    /// The same calls as RunLoop.commitPageTables makes. False when the kernel refuses one.
    fileprivate func commitPageTables() -> Bool {
        do throws(KVMError) {
            completePendingIO()
            immediateExit = false
            var sregs = try specialRegisters()
            sregs.cr4 ^= CR4.globalPages
            try setSpecialRegisters(sregs)
            sregs.cr4 ^= CR4.globalPages
            try setSpecialRegisters(sregs)
            return true
        } catch { return false }
    }
}

func commitExperiments(_ images: ExitImages) -> [any Experiment] {
    [false, true].flatMap { touches in
        [1, 16, 256].map { CommitExperiment(images, $0, touches: touches) }
    }
}
