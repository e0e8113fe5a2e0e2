// An interrupt from another thread: from before its write to an eventfd to the first instruction of the guest's handler.
//
// The eventfd is an irqfd, the interrupt a message to the local APIC (MSI), and the guest spins meanwhile: what a VMM's I/O
// thread pays to be heard. Read next: Kick.swift.

import GuestMemory
import Host
import KVM
import Rig

struct IRQFD: Experiment {
    let subject: Subject
    let equipment: Equipment
    let mode: CPUMode

    init(_ equipment: Equipment, _ mode: CPUMode) {
        subject = Subject(.exits, "irqfd", "interrupt by another thread (irqfd) to handler", mode.rawValue, .kernel)
        self.equipment = equipment
        self.mode = mode
    }

    /// Any number: the routes are ours.
    private static let gsi: UInt32 = 24

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.divided(by: 4)  // a ring 0 that is emulated takes an interrupt only once in half a millisecond
        var plan = try equipment.images.plan("irqfd", mode)
        plan.usesLocalAPIC = true
        let rig = try fromRig(try Rig(try openKVM(), plan))
        let bell = try Bell()
        try needing(try rig.vm.route(gsi: Self.gsi, toVector: 0x41))
        try needing(try rig.vm.attach(bell.event, toGSI: Self.gsi))
        guard let request = GuestAtomic(rig.memory, GuestAddress(RigMap.request)) else {
            throw .failed("the rig has no memory for its words")
        }
        let count = min(amount.warmUps + amount.samples, RigMap.capacity)
        rig.limit(nanoseconds: 2_000_000_000)
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

    init() throws(ExperimentError) { event = try needing(try EventFD()) }

    /// Rings as often as the guest says that it is ready, by counting down; TSC before each.
    func ring(_ count: Int, _ request: GuestAtomic, _ ending: Ending) -> [UInt64] {
        var sent: [UInt64] = []
        sent.reserveCapacity(count)
        for left in stride(from: UInt32(count), to: 0, by: -1) {
            while request.load() != left { if ending.isOver { return sent } }
            sent.append(Clock.tsc())
            event.signal()
        }
        return sent
    }
}
