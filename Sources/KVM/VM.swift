// A virtual machine: memory slots and vCPUs hang on it. The second level of KVM's file descriptors.
//
// Order matters to the clock: memory slots first, then vCPUs, then eventfds; a slot added after an eventfd or an
// interrupt controller waits for a grace period (7.5 ms where it was measured). Read next: VCPU.swift.

import CKVM
import Glibc

/// A VM. Closing it frees the kernel's side; the memory behind its slots belongs to the caller and must outlive it.
public struct VM: ~Copyable, Sendable {
    public let fd: Int32

    init(fd: Int32) {
        self.fd = fd
    }

    deinit { close(fd) }

    /// What this VM supports; 0 is no. The corresponding ioctl is `KVM_CHECK_EXTENSION` on the VM.
    public func capability(_ number: Int32) -> Int {
        max(0, ckvm_check_extension(fd, number))
    }

    /// Adds, replaces or (with size 0) deletes a slot. The corresponding ioctl is `KVM_SET_USER_MEMORY_REGION`.
    ///
    /// - Throws: EEXIST when it overlaps another slot, EINVAL when something is not page-aligned.
    public func set(_ slot: MemorySlot) throws(KVMError) { try slots.set(slot) }

    /// For whoever adds slots to a machine that runs.
    public var slots: MemorySlots { MemorySlots(vm: fd) }

    /// Puts the local APICs into the kernel and leaves PIC and I/O APIC to us.
    ///
    /// A vCPU with a kernel LAPIC is made and closed faster (43 against 230 us on the software KVM: without one KVM
    /// patches its own code for the first vCPU). The corresponding capability is `KVM_CAP_SPLIT_IRQCHIP`.
    public func enableSplitIRQChip() throws(KVMError) {
        _ = try check(ckvm_enable_cap(fd, UInt32(KVM_CAP_SPLIT_IRQCHIP), 0), "KVM_CAP_SPLIT_IRQCHIP")
    }

    /// Puts local APICs, I/O APIC and PICs into the kernel. The corresponding ioctl is `KVM_CREATE_IRQCHIP`.
    public func makeIRQChip() throws(KVMError) {
        _ = try check(ckvm_create_irqchip(fd), "KVM_CREATE_IRQCHIP")
    }

    /// Makes a vCPU. The corresponding ioctl is `KVM_CREATE_VCPU`.
    public func makeVCPU(id: Int32 = 0, mappingSize: Int) throws(KVMError) -> VCPU {
        let vcpu = Int32(try check(ckvm_create_vcpu(fd, id), "KVM_CREATE_VCPU"))
        return try VCPU(fd: vcpu, mappingSize: mappingSize)
    }
}
