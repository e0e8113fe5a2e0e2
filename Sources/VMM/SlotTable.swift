// A machine's memory slots: those it starts with, and those that its guest asks for, up to a limit.
//
// KVM keeps data for every page of a slot (2.4 GiB for 1 TiB where it was measured), so the memory that a guest may ask
// for gets its slots one by one: a guest pays for what it uses. Read next: Paravirt/Grow.swift.

import Backing
import GuestMemory
import Host
import KVM
import Synchronization
import X86

struct SlotTable: ~Copyable, Sendable {
    /// Guest-physical end of what memory may grow to; 0 when it may not.
    let limit: UInt64
    /// Bytes that memory grows by at a time, so that no guest needs more slots than KVM has.
    let step: UInt64
    /// Nil in a machine without KVM.
    private let slots: MemorySlots?
    /// What they cost; the count is the next slot's number.
    private let added = Mutex(SlotTotals())

    init(_ slots: MemorySlots?, limit: UInt64 = 0, step: UInt64 = AddressMap.hugePageSize) {
        self.slots = slots
        self.limit = limit
        self.step = step
    }

    var totals: SlotTotals { added.withLock { $0 } }

    /// Adds a slot for a range of the mapping; an empty range needs none.
    func add(
        _ range: Range<UInt64>, of memory: borrowing GuestMemory, _ flags: MemorySlot.Flags = []
    ) throws(KVMError) {
        if range.isEmpty { return }
        let size = range.upperBound - range.lowerBound
        let start = Clock.monotonic()
        try slots?.set(
            MemorySlot(
                index: UInt32(totals.count), guestAddress: range.lowerBound, size: size,
                hostAddress: memory.hostBase + UInt(range.lowerBound), flags: flags))
        added.withLock { $0.add(bytes: size, nanoseconds: Clock.monotonic() &- start) }
    }
}

/// How far memory grows: from 4 GiB up, whatever lies there already; at most 256 steps of a power of two.
struct Growth {
    var limit: UInt64 = 0
    var step: UInt64 = 0

    init(_ configuration: Configuration) throws(MachineError) {
        guard let maximum = configuration.memoryMaximum else { return }
        let size = configuration.memorySize
        let (low, _) = AddressMap.memory(size: size)
        guard (size | maximum) % AddressMap.hugePageSize == 0, maximum >= size, maximum <= 1 << 40 else {
            throw .memoryMaximum(maximum)
        }
        limit = AddressMap.hole.upperBound + maximum - low.upperBound
        // Physical address bits: CPUID 0x80000008 EAX; every x86-64 CPU has 36, and asking costs a nested host an exit.
        if limit > 1 << 36, limit > 1 << UInt64(Processor.cpuid(0x8000_0008).eax & 0xff) {
            throw .memoryMaximum(maximum)
        }
        step = AddressMap.hugePageSize
        while step * 256 < maximum - size { step *= 2 }
    }
}
