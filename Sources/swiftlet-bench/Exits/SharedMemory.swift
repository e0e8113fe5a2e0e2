// A word of shared memory there and back, between a guest and a thread of the host that spins: no exit at all.
//
// It is what a ring in shared memory costs while both sides are awake. Read next: IRQFD.swift.

import GuestMemory
import Rig

struct SharedMemory: Experiment {
    let subject: Subject
    let equipment: Equipment
    let mode: CPUMode

    init(_ equipment: Equipment, _ mode: CPUMode) {
        var subject = Subject(.exits, "shared-memory", "word to a spinning thread and back", mode.rawValue, .user)
        subject.note = "no exit: the thread spins, and so does the guest"
        self.subject = subject
        self.equipment = equipment
        self.mode = mode
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let plan = try equipment.images.plan("shared-memory", mode)
        let rig = try fromRig(try Rig(try openKVM(), plan))
        guard let request = GuestAtomic(rig.memory, GuestAddress(RigMap.request)),
            let reply = GuestAtomic(rig.memory, GuestAddress(RigMap.reply))
        else { throw .failed("the rig has no memory for its words") }
        rig.limit(nanoseconds: RigExperiment.longEnough)
        let answering: @Sendable (Ending) -> Void = { ending in
            while !ending.isOver { reply.store(request.load()) }
        }
        let (_, trips) = try withPartner(of: equipment, answering) { () throws(RigError) in
            try rig.collect(amount.warmUps + amount.samples) { _, _ in false }
        }
        return Samples(trips, of: rig, dropping: amount.warmUps)
    }
}
