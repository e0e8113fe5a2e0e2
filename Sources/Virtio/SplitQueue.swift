// A split virtqueue, the device's side: chains of buffers that a running guest offers, and the list of those we have used.
//
// Virtio 1.2, section 2.7. Three pieces of guest memory: the descriptor table (16 bytes each), the available ring (flags,
// index, numbers of heads: the driver writes), the used ring (flags, index, number and length: we write). All of the driver's
// words are hostile: a descriptor is copied out once and then checked, indices count only in our own copies, and a chain ends
// after as many descriptors as the queue has. Read next: Chain.swift.

import GuestMemory
import Synchronization

/// Where a queue lies, as the driver says in the transport's registers.
struct QueuePlace: Equatable, Sendable {
    var size: UInt32 = 0
    var descriptors: UInt64 = 0
    var available: UInt64 = 0
    var used: UInt64 = 0
    var isReady = false
}

/// A queue that is in use.
struct SplitQueue: Sendable {
    /// What the driver has for us.
    enum Next: Equatable {
        case nothing
        case chain(Chain)
        /// More chains are available than there are descriptors, or one has no end, or leads out of memory.
        case broken
    }

    /// Flags of struct virtq_desc, virtq_avail and virtq_used.
    private enum Flag {
        static let (next, write, indirect): (UInt16, UInt16, UInt16) = (1, 2, 4)
        static let noInterrupt: UInt16 = 1
        static let noNotify: UInt16 = 1
    }

    /// struct virtq_desc
    private struct Descriptor: BitwiseCopyable {
        var address: UInt64
        var length: UInt32
        var flags: UInt16
        var next: UInt16
    }

    static let largest: UInt32 = 256

    private let place: QueuePlace
    private let mask: UInt16
    /// Chains that we have taken, and given back.
    private var (taken, given): (UInt16, UInt16) = (0, 0)

    /// Nil when its size is no power of two up to 256, or a part is not memory or not aligned (to 16, 2 and 4 bytes).
    init?(_ place: QueuePlace, _ memory: borrowing GuestMemory) {
        let (size, bytes) = (place.size, UInt64(place.size))
        guard size >= 1, size <= Self.largest, size.nonzeroBitCount == 1,
            place.descriptors % 16 == 0, place.available % 2 == 0, place.used % 4 == 0,
            memory.contains(GuestAddress(place.descriptors), 16 * bytes),
            memory.contains(GuestAddress(place.available), 4 + 2 * bytes),
            memory.contains(GuestAddress(place.used), 4 + 8 * bytes)
        else { return nil }
        self.place = place
        mask = UInt16(size - 1)
    }

    /// The next chain; it stays the next until `accept`.
    func next(_ memory: borrowing GuestMemory) -> Next {
        let waiting = available(memory) &- taken
        if waiting == 0 { return .nothing }
        if UInt32(waiting) > place.size { return .broken }
        let slot = place.available + 4 + 2 * UInt64(taken & mask)
        guard let head: UInt16 = memory.read(GuestAddress(slot)), let chain = chain(head, memory) else {
            return .broken
        }
        return .chain(chain)
    }

    mutating func accept() { taken &+= 1 }

    /// Gives a chain back, of whose writable part that many bytes, from its start, are written.
    mutating func give(_ chain: Chain, written: UInt32, _ memory: borrowing GuestMemory) {
        let slot = place.used + 4 + 8 * UInt64(given & mask)
        memory.write(UInt64(chain.head) | UInt64(written) << 32, at: GuestAddress(slot))
        given &+= 1
        // The driver that sees the index must see the entry; x86 keeps stores in order, and so must the compiler.
        atomicMemoryFence(ordering: .releasing)
        memory.write(given, at: GuestAddress(place.used + 2))
    }

    func hasWork(_ memory: borrowing GuestMemory) -> Bool { available(memory) != taken }

    /// Whether the driver wants to be interrupted for what is given now. Behind a full fence: give, then look here, against
    /// the driver's "allow, then look at what is given" (section 2.7.7).
    func wantsInterrupt(_ memory: borrowing GuestMemory) -> Bool {
        (memory.read(GuestAddress(place.available), as: UInt16.self) ?? 0) & Flag.noInterrupt == 0
    }

    /// Whether the driver has to notify us.
    func setNotification(_ isWanted: Bool, _ memory: borrowing GuestMemory) {
        memory.write(isWanted ? 0 : Flag.noNotify, at: GuestAddress(place.used))
    }

    /// An aligned load of 16 bits is one on x86 (Intel SDM vol. 3A, 9.1.1); what it says is there is read behind it.
    private func available(_ memory: borrowing GuestMemory) -> UInt16 {
        let index: UInt16 = memory.read(GuestAddress(place.available + 2)) ?? taken
        atomicMemoryFence(ordering: .acquiring)
        return index
    }

    private func chain(_ head: UInt16, _ memory: borrowing GuestMemory) -> Chain? {
        var chain = Chain(head: head)
        var number = head
        for _ in 0..<place.size {
            guard UInt32(number) < place.size,
                let descriptor: Descriptor = memory.read(GuestAddress(place.descriptors + 16 * UInt64(number))),
                descriptor.flags & Flag.indirect == 0,
                chain.append(
                    Buffer(GuestAddress(descriptor.address), UInt64(descriptor.length)),
                    isWritable: descriptor.flags & Flag.write != 0, memory)
            else { return nil }
            if descriptor.flags & Flag.next == 0 { return chain }
            number = descriptor.next
        }
        return nil
    }
}
