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

        /// Nanoseconds until the interrupt is sent: longer than KVM polls, as it is by default (200 us), before it puts a
        /// halted vCPU's thread to sleep.
        fileprivate var pause: UInt64 { self == .spinning ? 0 : 500_000 }

        /// Takes this part of the samples: a ring 0 that is emulated takes an interrupt once in half a millisecond, and so
        /// does one that is left to halt.
        var divisor: Int { self == .spinning ? 4 : 10 }
    }

    init(_ equipment: Equipment, _ mode: CPUMode, _ waiting: Waiting) {
        let who = waiting == .spinning ? "handler" : "halted CPU's handler"
        var subject = Subject(
            .exits, waiting.rawValue, "interrupt by another thread (irqfd) to \(who)", mode.rawValue, .kernel)
        if waiting == .halted { subject.note = Self.haltNote(kernelText("/sys/module/kvm/parameters/halt_poll_ns")) }
        self.subject = subject
        self.equipment = equipment
        self.mode = mode
        self.waiting = waiting
    }

    /// Whether the thread sleeps by then: KVM polls for at most that many nanoseconds (Linux, virt/kvm/halt-polling).
    static func haltNote(_ haltPoll: String?) -> String {
        let halted = "after 500 us of HLT"
        guard let haltPoll, let polled = UInt64(haltPoll.prefix { $0.isNumber }) else {
            return "\(halted); how long this KVM polls before the vCPU's thread sleeps is not known"
        }
        let state = polled < Waiting.halted.pause ? "KVM has put the vCPU's thread to sleep" : "KVM may still poll"
        return "\(halted), when \(state) (kvm.halt_poll_ns is \(polled))"
    }

    /// Any number: the routes are ours.
    private static let gsi: UInt32 = 24

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.divided(by: waiting.divisor).fitting(RigMap.capacity)
        var plan = try equipment.images.plan(waiting.rawValue, mode)
        plan.usesLocalAPIC = true
        let rig = try tryRig(try Rig(try openKVM(), plan))
        let sender = try InterruptSender(pause: rig.cycles(waiting.pause))
        try tryKVM(try rig.vm.route(gsi: Self.gsi, toVector: 0x41))
        try tryKVM(try rig.vm.attach(sender.event, toGSI: Self.gsi))
        guard let request = GuestAtomic(rig.memory, GuestAddress(RigMap.request)) else {
            throw .failed("the rig has no memory for its words")
        }
        let count = amount.total
        rig.limit(nanoseconds: RigExperiment.longEnough)
        let sending: @Sendable (StopFlag) -> [UInt64] = { sender.send(count, request, $0) }
        let (sent, trips) = try withPartner(of: equipment, sending) { () throws(RigError) in
            try rig.collect(count) { _, _ in false }
        }
        return try Samples(trips, since: sent, of: rig, dropping: amount.warmUps)
    }
}

/// The eventfd, for two threads.
private final class InterruptSender: Sendable {
    let event: EventFD
    /// TSC cycles from the guest's being ready to the signal.
    private let pause: UInt64

    init(pause: UInt64) throws(ExperimentError) {
        self.pause = pause
        event = try tryKVM(try EventFD())
    }

    /// Sends as often as the guest says that it is ready, by counting down; TSC before each.
    func send(_ count: Int, _ request: GuestAtomic, _ stop: StopFlag) -> [UInt64] {
        var sent: [UInt64] = []
        sent.reserveCapacity(count)
        for left in stride(from: UInt32(count), to: 0, by: -1) {
            while request.load() != left { if stop.isSet { return sent } }
            let ready = Clock.tsc()
            while Clock.tsc() &- ready < pause { if stop.isSet { return sent } }
            sent.append(Clock.tsc())
            event.signal()
        }
        return sent
    }
}
