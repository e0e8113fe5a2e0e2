// The capabilities that matter, what each is for, and what this host's KVM says to it.
//
// KVM API, section 4.4 and chapters 6 to 8. Read next: Measurements.swift.

import KVM

struct CapabilityFinding: Encodable, Equatable, Sendable {
    /// As the KVM API has it, without `KVM_CAP_`.
    var name: String
    /// 0 is no; what another number means depends on the capability.
    var value: Int
    /// Swiftlet does not run without.
    var required: Bool
    var purpose: String

    var isMissing: Bool { required && value == 0 }

    static func all(_ kvm: borrowing KVM) -> [CapabilityFinding] {
        var list: [CapabilityFinding] = []
        for (capability, required, purpose) in table {
            list.append(
                CapabilityFinding(
                    name: capability.name, value: kvm.capability(capability), required: required, purpose: purpose))
        }
        return list
    }

    private static let table: [(Capability, Bool, String)] = [
        (.userMemory, true, "guest memory is ours"),
        (.readOnlyMemory, true, "descriptor tables that the guest cannot write"),
        (.synchronisedRegisters, true, "registers at an exit without a system call"),
        (.immediateExit, true, "a stop that cannot come too early"),
        (.splitIRQChip, true, "interrupts for vCPUs, and quick creation"),
        (.xcrs, true, "AVX for guests"),
        (.tscFrequency, true, "the guests' clock"),
        (.ioeventfd, false, "doorbells without an exit to user space"),
        (.irqfd, false, "interrupts from other threads without an exit"),
        (.memorySlots, false, "memory slots a VM can have"),
        (.recommendedVCPUs, false, "vCPUs recommended for a VM"),
        (.maximumVCPUs, false, "vCPUs possible in a VM"),
        (.statistics, false, "KVM's own counters; doctor reads them"),
        (.dirtyLogProtect, false, "snapshots: dirty pages by bitmap, in parts"),
        (.dirtyRing, false, "snapshots: dirty pages by ring, its largest size in bytes"),
        (.preFaultMemory, false, "guest memory mapped before its first touch"),
        (.guestMemoryFD, false, "guest memory that is not in our address space"),
        (.guestDebug, false, "single steps and breakpoints for debuggers"),
        (.msrExits, false, "model-specific registers of unmodified kernels"),
        (.hypercallExits, false, "hypercalls as exits, a mask"),
    ]
}
