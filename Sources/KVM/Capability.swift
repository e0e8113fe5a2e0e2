// Capabilities of KVM by name: what a host's kernel may or may not support.
//
// Those that Swiftlet needs, uses where they are, or reports to people who build on it. Read next: KVM.swift.

import CKVM
import Glibc

/// A number for `KVM_CHECK_EXTENSION` and the name that the KVM API gives it.
public struct Capability: Hashable, Sendable {
    public let number: Int32
    /// Without `KVM_CAP_`.
    public let name: String

    init(_ number: Int32, _ name: String) {
        self.number = number
        self.name = name
    }

    public static let userMemory = Capability(KVM_CAP_USER_MEMORY, "USER_MEMORY")
    /// The number of slots.
    public static let memorySlots = Capability(KVM_CAP_NR_MEMSLOTS, "NR_MEMSLOTS")
    public static let readOnlyMemory = Capability(KVM_CAP_READONLY_MEM, "READONLY_MEM")
    /// A mask of the register sets that `kvm_run` can carry.
    public static let synchronisedRegisters = Capability(KVM_CAP_SYNC_REGS, "SYNC_REGS")
    public static let immediateExit = Capability(KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT")
    public static let splitIRQChip = Capability(KVM_CAP_SPLIT_IRQCHIP, "SPLIT_IRQCHIP")
    public static let xcrs = Capability(KVM_CAP_XCRS, "XCRS")
    public static let tscFrequency = Capability(KVM_CAP_GET_TSC_KHZ, "GET_TSC_KHZ")
    public static let ioeventfd = Capability(KVM_CAP_IOEVENTFD, "IOEVENTFD")
    public static let irqfd = Capability(KVM_CAP_IRQFD, "IRQFD")
    public static let statistics = Capability(KVM_CAP_BINARY_STATS_FD, "BINARY_STATS_FD")
    /// How many the kernel recommends.
    public static let recommendedVCPUs = Capability(KVM_CAP_NR_VCPUS, "NR_VCPUS")
    public static let maximumVCPUs = Capability(KVM_CAP_MAX_VCPUS, "MAX_VCPUS")
    public static let dirtyLogProtect = Capability(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, "MANUAL_DIRTY_LOG_PROTECT2")
    /// The largest ring in bytes.
    public static let dirtyRing = Capability(KVM_CAP_DIRTY_LOG_RING_ACQ_REL, "DIRTY_LOG_RING_ACQ_REL")
    // Newer than the headers of Linux 6.1, by number: KVM API, sections 8.43 and 4.141.
    public static let guestMemoryFD = Capability(234, "GUEST_MEMFD")
    public static let preFaultMemory = Capability(236, "PRE_FAULT_MEMORY")
    public static let guestDebug = Capability(KVM_CAP_SET_GUEST_DEBUG, "SET_GUEST_DEBUG")
    public static let msrExits = Capability(KVM_CAP_X86_USER_SPACE_MSR, "X86_USER_SPACE_MSR")
    /// A mask of hypercalls that can be made exits.
    public static let hypercallExits = Capability(KVM_CAP_EXIT_HYPERCALL, "EXIT_HYPERCALL")
}

extension KVM {
    /// Throws ENOSYS with the name of the first capability that every machine needs and this host lacks.
    public func require() throws(KVMError) {
        if self.capability(KVM_CAP_SYNC_REGS) == 0 { throw KVMError("KVM_CAP_SYNC_REGS", errno: ENOSYS) }
        if self.capability(KVM_CAP_IMMEDIATE_EXIT) == 0 { throw KVMError("KVM_CAP_IMMEDIATE_EXIT", errno: ENOSYS) }
        if self.capability(KVM_CAP_READONLY_MEM) == 0 { throw KVMError("KVM_CAP_READONLY_MEM", errno: ENOSYS) }
        if self.capability(KVM_CAP_SPLIT_IRQCHIP) == 0 { throw KVMError("KVM_CAP_SPLIT_IRQCHIP", errno: ENOSYS) }
    }

    /// What the host supports; 0 is no, and above 0 what the capability's own number means.
    public func capability(_ capability: Capability) -> Int { self.capability(capability.number) }
}
