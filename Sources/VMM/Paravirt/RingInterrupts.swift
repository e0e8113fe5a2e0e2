// Rings' interrupts: their threads say that one is due and kick the vCPU, which delivers it as it does its timer's.
//
// KVM's own way, an irqfd, needs a local APIC whose end-of-interrupt register the guest can reach: in ring 3 that would be
// an exit more for each (docs/devices.md). Read next: ../Stop.swift.

import Host
import KVM
import Synchronization

/// Which rings' interrupts are due. Raised by the rings' threads, taken by the vCPU's.
final class RingInterrupts: Sendable {
    /// Bit n: ring n's.
    private let due = Atomic<UInt32>(0)
    /// Readable while one is due: a vCPU that waits may have been kicked just before its wait began.
    private let event: EventFD

    init() throws(KVMError) { event = try EventFD() }

    /// Whether the vCPU has to be told: not again while it has not taken the last one.
    func raise(_ ring: Int) -> Bool {
        let bit: UInt32 = 1 << UInt32(ring)
        if due.bitwiseOr(bit, ordering: .acquiringAndReleasing).oldValue & bit != 0 { return false }
        event.signal()
        return true
    }

    var isDue: Bool { due.load(ordering: .acquiring) != 0 }

    var wait: WaitFor { WaitFor(event.fd) }

    /// The ring whose interrupt is delivered now, the lowest number first.
    func take() -> Int? {
        let ring = due.load(ordering: .acquiring).trailingZeroBitCount
        guard ring < 32 else { return nil }
        // The event first: one that is raised between the two lines signals it again.
        _ = event.take()
        if due.bitwiseAnd(~(1 << UInt32(ring)), ordering: .acquiringAndReleasing).newValue != 0 { event.signal() }
        return ring
    }
}

extension VCPUContext {
    /// Whether a ring's interrupt is due.
    var isRingDue: Bool { platform.devices?.interrupts[index].isDue ?? false }

    /// What ends a wait for a ring's interrupt: nothing while the guest holds interrupts back.
    var ringInterrupt: WaitFor? { masked.load() == 0 ? platform.devices?.interrupts[index].wait : nil }

    /// The vector of the ring's interrupt that is delivered now.
    @inline(never)
    mutating func takeRingInterrupt() -> UInt8? {
        guard let devices = platform.devices, let ring = devices.interrupts[index].take() else { return nil }
        return devices.rings[ring].vector
    }
}
