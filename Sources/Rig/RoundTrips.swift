// Samples of a rig: the guest stamps before and after its operation, the host stamps around KVM_RUN.
//
// Both read one TSC: the guest's offset to ours is set to zero (KVM_VCPU_TSC_OFFSET), and if a stamp then lies where it
// cannot, the split is refused and only what the guest saw is kept. Read next: swiftlet-bench/Exits.

public import KVM
import GuestMemory
import Host

/// TSC stamps of one run.
public struct RoundTrips: Sendable {
    /// Before and after the operation, by the guest.
    public var guest: [(start: UInt64, end: UInt64)] = []
    /// Of each exit: KVM_RUN returned, KVM_RUN is called again.
    public var host: [(left: UInt64, entered: UInt64)] = []

    public init() {}

    public struct Split: Sendable {
        public var toHost: UInt64
        public var handler: UInt64
        public var toGuest: UInt64
    }

    /// For each sample the way out of its first exit, the handlers of all, and the way back of its last. Nil when the
    /// stamps are not on one clock, or an operation made no exit.
    public var splits: [Split]? {
        var splits: [Split] = []
        splits.reserveCapacity(guest.count)
        var next = 0
        for sample in guest {
            let first = next
            var handler: UInt64 = 0
            while next < host.count, host[next].entered <= sample.end {
                guard host[next].left >= sample.start else { return nil }
                handler += host[next].entered - host[next].left
                next += 1
            }
            guard next > first else { return nil }
            splits.append(
                Split(
                    toHost: host[first].left - sample.start, handler: handler,
                    toGuest: sample.end - host[next - 1].entered))
        }
        return splits
    }
}

extension Rig {
    /// Has the guest take `count` samples; answers each exit by `answer`, which says false to one that it did not expect.
    ///
    /// The last exit, on the done port, is not answered.
    public func collect(
        _ count: Int, operand: UInt64 = 0, answer: (Exit, borrowing Rig) -> Bool
    ) throws(RigError) -> RoundTrips {
        let count = min(max(count, 1), RigMap.capacity)
        memory.write(UInt32(count), at: GuestAddress(RigMap.count))
        memory.write(operand, at: GuestAddress(RigMap.operand))
        var trips = RoundTrips()
        trips.host.reserveCapacity(count + 1)
        while true {
            let exit = try run()
            let left = Clock.tsc()
            if case .portWrite(RigMap.done, 4, 1, _) = exit { break }
            guard answer(exit, self) else { throw .unexpected(exit) }
            trips.host.append((left, Clock.tsc()))
        }
        trips.guest = (0..<count).map { index in
            let address = GuestAddress(RigMap.samples) + UInt64(index) * 16
            return (memory.read(address) ?? 0, memory.read(address + 8) ?? 0)
        }
        return trips
    }
}
