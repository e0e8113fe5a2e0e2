// KVM's memory slots of a machine, what they cost the kernel, what grow calls would add, and what backs them.
//
// As Machine.addSlots and Backing/Growth make them. What a slot costs is the kernel's data for every page of it, touched or
// not (Linux, arch/x86/include/asm/kvm_host.h, kvm_arch_memory_slot): docs/memory.md has it measured. Read next:
// InspectionText.swift.

import Backing
import GuestMemory
import X86

/// What the user asked for, as `swiftlet run` has it.
struct MemoryWishes {
    var size: UInt64
    var maximum: UInt64?
    var backing = Backing.anonymous
}

struct SlotPlan: Encodable, Equatable, Sendable {
    struct Slot: Encodable, Equatable, Sendable {
        /// KVM's number for it.
        var index: Int
        /// Guest-physical.
        var start: UInt64
        var size: UInt64
        var what: String
        /// Bytes of the kernel's memory that it costs at most.
        var kernelBytes: UInt64
    }

    /// What grow calls may add, a slot for each.
    struct Growth: Encodable, Equatable, Sendable {
        /// Guest-physical, of the first byte of it.
        var start: UInt64
        /// In all, and what a call adds at least.
        var size: UInt64
        var step: UInt64
        /// If each call adds no more than that.
        var slots: UInt64
        /// Bytes, for all of it.
        var kernelBytes: UInt64
    }

    /// As `--backing` names it.
    var backing: String
    /// Host address minus guest-physical address is a multiple of it.
    var alignment: UInt64
    /// From where on the host's pages can be huge; nil where they cannot, or where it is the file system's affair.
    var hugeFrom: UInt64?
    var slots: [Slot]
    /// Nil when memory may not grow.
    var growth: Growth?

    /// Throws what `swiftlet run` would refuse.
    init(_ wishes: MemoryWishes) throws(BackingError) {
        let (low, high) = AddressMap.memory(size: wishes.size)
        let plan = try GrowthPlan(size: wishes.size, maximum: wishes.maximum)
        if wishes.backing == .hugetlb, wishes.size % hugePageSize != 0 { throw .unaligned(wishes.size) }
        backing = wishes.backing.name
        alignment = hugePageSize
        switch wishes.backing {
        case .anonymous: hugeFrom = hugePageSize
        case .transparentHuge, .hugetlb, .memfd: hugeFrom = 0
        case .file: hugeFrom = nil
        }
        let parts = [(0, AddressMap.machine, "the machine's, read-only"), (1, low, "memory"), (2, high, "memory")]
        slots = parts.filter { !$0.1.isEmpty }.map { index, range, what in
            let size = UInt64(range.count)
            return Slot(
                index: index, start: range.lowerBound, size: size, what: what, kernelBytes: Self.kernelBytes(size))
        }
        let top = plan.high(high).upperBound
        if plan.limit > top {
            let size = plan.limit - top
            growth = Growth(
                start: top, size: size, step: plan.step, slots: (size + plan.step - 1) / plan.step,
                kernelBytes: Self.kernelBytes(size))
        }
    }

    /// Eight bytes of reverse mapping and two of page tracking for each page, twelve and four for each 2 MiB.
    static func kernelBytes(_ size: UInt64) -> UInt64 {
        let (pages, huge) = ((size + 4095) / 4096, (size + hugePageSize - 1) / hugePageSize)
        return pages * 10 + huge * 16
    }
}
