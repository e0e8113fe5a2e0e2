// Doorbells of a machine that runs: its guest makes a ring, and the ring's thread wants to be woken without an exit.
//
// Read next: VM.swift, which attaches them to machines that are being built.

import CKVM

/// The doorbells of a VM. Holds the descriptor, not the VM: it must not outlive it.
public struct Doorbells: Sendable {
    let vm: Int32

    /// A write of 4 bytes to the port signals the eventfd. The corresponding ioctl is `KVM_IOEVENTFD`.
    public func attach(_ event: borrowing EventFD, toPort port: UInt16) throws(KVMError) {
        var request = kvm_ioeventfd()
        request.fd = event.fd
        request.addr = UInt64(port)
        request.len = 4
        request.flags = CKVM_IOEVENTFD_PIO
        _ = try check(unsafe ckvm_ioeventfd(vm, &request), "KVM_IOEVENTFD")
    }
}

extension VM {
    /// For whoever adds doorbells to a machine that runs.
    public var doorbells: Doorbells { Doorbells(vm: fd) }
}
