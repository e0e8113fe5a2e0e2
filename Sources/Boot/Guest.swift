// What a boot protocol has made of an image: one case for each protocol, each a file of its own in this folder.
//
// A protocol plans a layout, fills a memory, and says with which CPU state the guest starts. What follows from it in the
// machine (its memory slots, its vCPU, who answers its exits) is an initializer of VMM/Machine for each.
// Read next: RingThree.swift, HvtGuest.swift.

import CABI

/// An image, placed.
public enum Guest: Sendable {
    case ringThree(RingThree)
    case hvt(HvtGuest)
    case kernel(KernelPlan)
}

/// What reports ask of a guest, whatever its protocol.
extension Guest {
    public var layout: Layout {
        switch self {
        case .ringThree(let guest): guest.layout
        case .hvt(let guest): guest.layout
        case .kernel(let plan): plan.layout
        }
    }

    /// What is added to the image's addresses.
    public var bias: UInt64 { if case .ringThree(let guest) = self { guest.bias } else { 0 } }

    /// What lies where in memory.
    public var memoryMap: [swiftlet_memory_range] {
        switch self {
        case .ringThree(let guest): Array(guest.memoryMap)
        case .hvt(let guest): guest.memoryMap
        case .kernel(let plan): plan.memoryMap
        }
    }
}
