// Interrupts from outside of the vCPU's thread: a line or a message behind an eventfd, or a message that is sent at once.
//
// Whoever writes the eventfd need not know KVM, nor leave its own work for an ioctl (KVM API, 4.52, 4.75 and 4.77).
// Read next: VCPU.swift.

import CKVM

extension InterruptLines {
    /// Has each signal of the eventfd raise a line and lower it again, for who takes the edge.
    /// The corresponding ioctl is `KVM_IRQFD`.
    public func attach(_ event: borrowing EventFD, to line: UInt32) throws(KVMError) {
        _ = try check(ckvm_irqfd(vm, event.fd, line), "KVM_IRQFD")
    }

    /// Sends a fixed, edge-triggered interrupt to a local APIC by its ID; one that is disabled loses it, as on hardware.
    /// The corresponding ioctl is `KVM_SIGNAL_MSI` (Intel SDM vol. 3A, 11.11: the message's address and data).
    public func send(_ vector: UInt8, to apic: UInt32) {
        _ = ckvm_signal_msi(vm, 0xfee0_0000 | apic << 12, UInt32(vector))
    }
}

extension VM {
    /// Has interrupt number `gsi` be a message to local APIC 0: `vector`, fixed, edge-triggered (Intel SDM vol. 3A, 11.11).
    /// It replaces all routes. The corresponding ioctl is `KVM_SET_GSI_ROUTING`; needs a local APIC in the kernel.
    public func route(gsi: UInt32, toVector vector: UInt8) throws(KVMError) {
        _ = try check(ckvm_route_msi(fd, gsi, 0xfee0_0000, UInt32(vector)), "KVM_SET_GSI_ROUTING")
    }

    /// Has a signal of the eventfd raise interrupt number `gsi`. The corresponding ioctl is `KVM_IRQFD`.
    public func attach(_ event: borrowing EventFD, toGSI gsi: UInt32) throws(KVMError) {
        _ = try check(ckvm_irqfd(fd, event.fd, gsi), "KVM_IRQFD")
    }
}
