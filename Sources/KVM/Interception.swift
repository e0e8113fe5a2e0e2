// What KVM answers itself, and what it hands to user space, changed from its defaults: MSRs that leave, writes that wait.
//
// Hyper-V's and Xen's registers leave so (VMM/Identity), a kernel's console output waits so (VMM/Devices/CoalescedOutput.swift);
// `swiftlet bench` measures each against its plain counterpart. Read next: Interrupts.swift.

import CKVM

extension VM {
    /// `RDMSR` and `WRMSR` of these registers, at most 512, become exits, and of no others.
    /// The corresponding ioctls are `KVM_X86_SET_MSR_FILTER`, and `KVM_ENABLE_CAP` of `KVM_CAP_X86_USER_SPACE_MSR`.
    public func leaveToUser(msrs: ClosedRange<UInt32>) throws(KVMError) {
        let reasons = UInt64(KVM_MSR_EXIT_REASON_FILTER)
        _ = try check(ckvm_enable_cap(fd, UInt32(KVM_CAP_X86_USER_SPACE_MSR), reasons), "KVM_CAP_X86_USER_SPACE_MSR")
        _ = try check(ckvm_filter_msrs(fd, msrs.lowerBound, UInt32(msrs.count)), "KVM_X86_SET_MSR_FILTER")
    }

    /// Writes there are kept in a ring and cause an exit only when it is full.
    /// The corresponding ioctl is `KVM_REGISTER_COALESCED_MMIO`; EINVAL for a port before Linux 4.20.
    public func coalesce(_ writes: Doorbell) throws(KVMError) {
        let result =
            switch writes {
            case .port(let port, let size): ckvm_coalesce(fd, UInt64(port), size, 1)
            case .memory(let address, let size): ckvm_coalesce(fd, address, size, 0)
            }
        _ = try check(result, "KVM_REGISTER_COALESCED_MMIO")
    }

    /// A port whose bytes can be coalesced; nil where this KVM cannot.
    public func coalescedPort(_ port: UInt16) -> CoalescedPort? {
        let ring = coalescedRing
        guard ring > 0, capability(KVM_CAP_COALESCED_PIO) > 0 else { return nil }
        return CoalescedPort(vm: fd, port: port, ring: ring)
    }

    /// Where the ring of coalesced writes lies: pages behind the start of `kvm_run`; 0: this KVM has none.
    /// The corresponding capability is `KVM_CAP_COALESCED_MMIO`.
    public var coalescedRing: Int { capability(KVM_CAP_COALESCED_MMIO) }
}

/// A port whose bytes can wait in a ring. Holds the VM's descriptor, not the VM: it must not outlive it.
public struct CoalescedPort: Sendable {
    let vm: Int32
    let port: UInt16
    let ring: Int

    /// Writes wait from now on; false when they do not. Costs a grace period, and another when the VM is closed: some 10 ms.
    /// The corresponding ioctl is `KVM_REGISTER_COALESCED_MMIO`.
    public func start() -> Bool { ckvm_coalesce(vm, UInt64(port), 1, 1) == 0 }

    /// Writes are exits again. The corresponding ioctl is `KVM_UNREGISTER_COALESCED_MMIO`.
    public func stop() { _ = ckvm_stop_coalescing(vm, UInt64(port), 1, 1) }
}

extension VCPU {
    /// Throws away the coalesced writes and says how many they were; `ring` is `VM.coalescedRing`.
    public func takeCoalesced(ring: Int) -> Int {
        // Sound: the ring lies inside the mapping, whose size KVM gave.
        guard ring > 0, (ring + 1) * 4096 <= mappingSize else { return 0 }
        return unsafe Int(ckvm_take_coalesced(shared, ring))
    }

    /// Takes the oldest byte that waits for the port; nil when there is none.
    public func takeByte(of port: CoalescedPort) -> UInt8? {
        guard (port.ring + 1) * 4096 <= mappingSize else { return nil }
        return unsafe UInt8(exactly: ckvm_take_coalesced_byte(shared, port.ring))
    }

    /// What the `RDMSR` of an `Exit.msrRead` reads; lets the `WRMSR` of an `Exit.msrWrite` pass.
    public func answerMSR(_ value: UInt64) {
        unsafe shared.pointee.msr.data = value
        unsafe shared.pointee.msr.error = 0
    }

    /// Has the instruction end in a general protection fault.
    public func refuseMSR() { unsafe shared.pointee.msr.error = 1 }
}
