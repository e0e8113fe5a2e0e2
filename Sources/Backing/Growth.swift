// Memory that a guest asks for while it runs: from 4 GiB up, in steps, a memory slot for each step.
//
// KVM keeps data for every page of a slot (2.4 GiB for 1 TiB where it was measured) and waits for a grace period when one
// is added (a millisecond there). So what a guest may ask for gets its slots one by one: it pays for what it uses; and
// a step is as large as it takes for 256 of them to do. Read next: VMM/Paravirt/Grow.swift.

import GuestMemory
import Host
import KVM
import Synchronization
import X86

/// How far memory may grow.
public struct GrowthPlan: Equatable, Sendable {
    /// Guest-physical end of what memory may grow to; 0 when it may not.
    public var limit: UInt64 = 0
    /// Bytes: a power of two, 2 MiB at least.
    public var step: UInt64 = 0

    /// For a machine that starts with `size` bytes and may have `maximum` in all; nil for no growth.
    public init(size: UInt64, maximum: UInt64?) throws(BackingError) {
        guard let maximum else { return }
        guard (size | maximum) % hugePageSize == 0, maximum >= size, maximum <= 1 << 40 else {
            throw .maximum(maximum)
        }
        limit = AddressMap.hole.upperBound + maximum - AddressMap.memory(size: size).low.upperBound
        // Physical address bits: CPUID 0x80000008 EAX; every x86-64 CPU has 36, and asking costs a nested host an exit.
        if limit > 1 << 36, limit > 1 << UInt64(Processor.cpuid(0x8000_0008).eax & 0xff) { throw .maximum(maximum) }
        step = hugePageSize
        while step * 256 < maximum - size { step *= 2 }
    }

    /// Where memory beyond low memory starts: a machine that may grow has a place for it.
    public func high(_ range: Range<UInt64>) -> Range<UInt64> {
        let start = AddressMap.hole.upperBound
        return limit > 0 && range.isEmpty ? start..<start : range
    }
}

/// What a machine's memory slots have cost.
public struct SlotTotals: Equatable, Sendable {
    public var count: UInt64 = 0
    public var bytes: UInt64 = 0
    public var nanoseconds: UInt64 = 0

    public init() {}

    /// Those that a machine starts with: its own pages, and memory below and above the hole under 4 GiB.
    public init(_ memory: borrowing GuestMemory, since start: UInt64) {
        nanoseconds = Clock.monotonic() - start
        for range in [AddressMap.machine, memory.low, memory.high] where !range.isEmpty {
            count += 1
            bytes += UInt64(range.count)
        }
    }
}

/// A machine's memory slots beyond those that it started with.
public final class Growth: Sendable {
    public let plan: GrowthPlan
    /// Nil in a machine without KVM.
    private let slots: MemorySlots?
    private let store: MemoryStore?
    private let added: Mutex<Added>

    /// What there is, the first slots included, and the slots that were added.
    private struct Added {
        var totals: SlotTotals
        var slots: [MemorySlot] = []
        var flags: MemorySlot.Flags = []
    }

    /// `first` are the slots that there are: the count is the next one's number.
    public init(_ plan: GrowthPlan, _ slots: MemorySlots?, after first: SlotTotals, store: MemoryStore? = nil) {
        self.plan = plan
        self.slots = slots
        self.store = store
        added = Mutex(Added(totals: first))
    }

    /// What all slots cost, the first ones included.
    public var totals: SlotTotals { added.withLock { $0.totals } }

    /// The slots of what was granted, ascending.
    public var grantedSlots: [MemorySlot] { added.withLock { $0.slots } }

    /// Has written pages recorded in slots to come. Those that are there are the caller's to change.
    public func logDirtyPages() { added.withLock { $0.flags = .logDirtyPages } }

    /// Grows by at least `size` bytes; the new range, empty when there is not as much to be had.
    ///
    /// Backing first, then the slot, then the gate: a range is guest memory only when everything behind it is there.
    public func grow(_ memory: borrowing GuestMemory, by size: UInt64) -> Range<UInt64> {
        added.withLock { added in
            let top = memory.high.upperBound
            guard size > 0, plan.limit > top, size <= plan.limit - top else { return 0..<0 }
            let rounded = (size + plan.step - 1) & ~(plan.step - 1)
            let range = top..<top + min(rounded, plan.limit - top)
            guard (try? extend(memory, by: range, &added)) != nil else { return 0..<0 }
            memory.grow(to: range.upperBound)
            return range
        }
    }

    private func extend(
        _ memory: borrowing GuestMemory, by range: Range<UInt64>, _ added: inout Added
    ) throws {
        try store?.extend(memory, by: range)
        let start = Clock.monotonic()
        let size = UInt64(range.count)
        let slot = MemorySlot(
            index: UInt32(added.totals.count), guestAddress: range.lowerBound, size: size,
            hostAddress: memory.hostBase + UInt(range.lowerBound), flags: added.flags)
        try slots?.set(slot)
        added.slots.append(slot)
        added.totals.nanoseconds += Clock.monotonic() - start
        added.totals.count += 1
        added.totals.bytes += size
    }
}
