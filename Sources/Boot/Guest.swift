// What a boot protocol has made of an image: one case for each protocol, each a file of its own in this folder.
//
// A protocol plans a layout, fills a memory, and says with which CPU state the guest starts. What follows from it in the
// machine (its memory slots, its vCPU, who answers its exits) is an initializer of VMM/Machine for each.
// Read next: RingThree.swift, HvtGuest.swift.

/// An image, placed.
public enum Guest: Sendable {
    case ringThree(RingThree)
    case hvt(HvtGuest)
}
