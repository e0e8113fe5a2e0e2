// An interrupt from another thread: from before its write to an eventfd to the first instruction of the guest's handler.
//
// The eventfd is an irqfd, the interrupt a message to the local APIC (MSI): what a VMM's I/O thread pays to be heard, by a
// guest that spins and by one that has halted. Read next: Kick.swift.

import GuestMemory
import Host
import KVM
import Rig

struct IRQFD: Experiment {
    let subject: Subject
    let equipment: Equipment
    let mode: CPUMode
    /// What the guest does meanwhile.
    let waiting: Waiting

    enum Waiting: String {
        case spinning = "irqfd"
        case halted = "irqfd-halted"

        /// Nanoseconds until the interrupt is sent: longer than KVM polls before it puts a halted vCPU's thread to sleep
        /// (halt_poll_ns, 200 us).
        fileprivate var pause: UInt64 { self == .spinning ? 0 : 500_000 }

        /// Takes this part of the samples: a ring 0 that is emulated takes an interrupt once in half a millisecond, and so
        /// does one that is left to halt.
        var divisor: Int { self == .spinning ? 4 : 10 }
    }

    init(_ equipment: Equipment, _ mode: CPUMode, _ waiting: Waiting) {
        let who = waiting == .spinning ? "handler" : "halted CPU's handler"
        var subject = Subject(
            .exits, waiting.rawValue, "interrupt by another thread (irqfd) to \(who)", mode.rawValue, .kernel)
        if waiting == .halted { subject.note = "after 500 us of HLT, when KVM has put the vCPU's thread to sleep" }
        self.subject = subject
        self.equipment = equipment
        self.mode = mode
        self.waiting = waiting
    }

    /// Any number: the routes are ours.
    private static let gsi: UInt32 = 24

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.divided(by: waiting.divisor)
        var plan = try equipment.images.plan(waiting.rawValue, mode)
        plan.usesLocalAPIC = true
        let rig = try fromRig(try Rig(try openKVM(), plan))
        let bell = try Bell(pause: rig.cycles(waiting.pause))
        try needing(try rig.vm.route(gsi: Self.gsi, toVector: 0x41))
        try needing(try rig.vm.attach(bell.event, toGSI: Self.gsi))
        guard let request = GuestAtomic(rig.memory, GuestAddress(RigMap.request)) else {
            throw .failed("the rig has no memory for its words")
        }
        let count = min(amount.warmUps + amount.samples, RigMap.capacity)
        rig.limit(nanoseconds: RigExperiment.longEnough)
        let ringing: @Sendable (Ending) -> [UInt64] = { bell.ring(count, request, $0) }
        let (sent, trips) = try withPartner(of: equipment, ringing) { () throws(RigError) in
            try rig.collect(count) { _, _ in false }
        }
        return try Samples(trips, since: sent, of: rig, dropping: amount.warmUps)
    }
}

/// The eventfd, for two threads.
private final class Bell: Sendable {
    let event: EventFD
    /// TSC cycles from the guest's being ready to the signal.
    private let pause: UInt64

    init(pause: UInt64) throws(ExperimentError) {
        self.pause = pause
        event = try needing(try EventFD())
    }

    /// Rings as often as the guest says that it is ready, by counting down; TSC before each.
    func ring(_ count: Int, _ request: GuestAtomic, _ ending: Ending) -> [UInt64] {
        var sent: [UInt64] = []
        sent.reserveCapacity(count)
        for left in stride(from: UInt32(count), to: 0, by: -1) {
            while request.load() != left { if ending.isOver { return sent } }
            let ready = Clock.tsc()
            while Clock.tsc() &- ready < pause { if ending.isOver { return sent } }
            sent.append(Clock.tsc())
            event.signal()
        }
        return sent
    }
}
