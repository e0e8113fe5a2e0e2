// A kick: from before pthread_kill in another thread to the return of KVM_RUN, whose guest spins.
//
// How long a stop takes, and whatever else makes a vCPU's thread leave its guest. Read next: ExitRows.swift.

import Glibc
import GuestMemory
import Host
import KVM
import Rig
import Synchronization

struct Kick: Experiment {
    let subject: Subject
    let equipment: Equipment
    let mode: CPUMode

    init(_ equipment: Equipment, _ mode: CPUMode) {
        subject = Subject(.exits, "kick", "kick (signal to the return of KVM_RUN)", mode.rawValue, .user)
        self.equipment = equipment
        self.mode = mode
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let plan = try equipment.images.plan("spin", mode)
        let rig = try fromRig(try Rig(try openKVM(), plan))
        guard let counter = GuestAtomic(rig.memory, GuestAddress(RigMap.request)) else {
            throw .failed("the rig has no memory for its words")
        }
        let count = amount.warmUps + amount.samples
        let kicker = Kicker()
        rig.limit(nanoseconds: RigExperiment.longEnough)
        let kicking: @Sendable (Ending) -> [UInt64] = { kicker.kick(count, counter, $0) }
        let (sent, returned) = try withPartner(of: equipment, kicking) { () throws(RigError) in
            try kicker.run(rig, count)
        }
        let pairs = zip(sent, returned).dropFirst(amount.warmUps)
        return Samples(total: pairs.map { rig.nanoseconds($1 &- $0) })
    }
}

/// What the two threads know of each other.
private final class Kicker: Sendable {
    /// The vCPU's, which makes this object.
    private let thread = ThreadReference.current
    /// Runs begun, and kicks sent.
    private let begun = Atomic<Int>(0)
    private let sent = Atomic<Int>(0)

    /// Kicks each run once the guest counts; TSC before each kick.
    func kick(_ count: Int, _ counter: GuestAtomic, _ ending: Ending) -> [UInt64] {
        var stamps: [UInt64] = []
        stamps.reserveCapacity(count)
        for turn in 1..<count + 1 {
            while begun.load(ordering: .acquiring) < turn { if ending.isOver { return stamps } }
            let seen = counter.load()
            while counter.load() == seen { if ending.isOver { return stamps } }
            sent.store(turn, ordering: .releasing)
            stamps.append(Clock.tsc())
            thread.kick()
        }
        return stamps
    }

    /// Runs until it is kicked, again and again; TSC at each return.
    func run(_ rig: borrowing Rig, _ count: Int) throws(RigError) -> [UInt64] {
        var stamps: [UInt64] = []
        stamps.reserveCapacity(count)
        for turn in 1..<count + 1 {
            begun.store(turn, ordering: .releasing)
            let error = rig.vcpu.run()
            stamps.append(Clock.tsc())
            if error == 0 { throw .unexpected(rig.vcpu.exit) }
            guard error == EINTR else { throw .failed(KVMError("KVM_RUN", errno: error)) }
            // By the time limit's kick, then, not by the other thread's.
            if sent.load(ordering: .acquiring) < turn { throw .timedOut }
            rig.vcpu.immediateExit = false
        }
        return stamps
    }
}
