// Doorbells: a guest's write to a port or an address signals an eventfd, without an exit to user space.
//
// For rings, whose threads want to be woken; an ordinary start has none, so they do not count to the core.
// Read next: VCPU.swift.

import CKVM

/// Where a guest rings: a port or a guest-physical address, and the size of the write in bytes.
public enum Doorbell: Sendable {
    case port(UInt16, size: UInt32)
    case memory(UInt64, size: UInt32)
}

/// The doorbells of a VM. Holds the descriptor, not the VM: it must not outlive it.
public struct Doorbells: Sendable {
    let vm: Int32

    /// As `VM.attach`.
    public func attach(_ event: borrowing EventFD, to doorbell: Doorbell) throws(KVMError) {
        var request = kvm_ioeventfd()
        request.fd = event.fd
        switch doorbell {
        case .port(let port, let size):
            request.addr = UInt64(port)
            request.len = size
            request.flags = CKVM_IOEVENTFD_PIO
        case .memory(let address, let size):
            request.addr = address
            request.len = size
        }
        _ = try check(unsafe ckvm_ioeventfd(vm, &request), "KVM_IOEVENTFD")
    }
}

extension VM {
    /// Attaches an eventfd to a port or an address: a write there signals it. The corresponding ioctl is `KVM_IOEVENTFD`.
    public func attach(_ event: borrowing EventFD, to doorbell: Doorbell) throws(KVMError) {
        try doorbells.attach(event, to: doorbell)
    }

    /// For whoever adds doorbells to a machine that runs.
    public var doorbells: Doorbells { Doorbells(vm: fd) }
}
