// The interrupt lines of a PC: what devices of user space raise and lower, and KVM's PICs and I/O APIC listen to.
//
// Only for kernels that expect them; a Swiftlet guest has none. Read next: PortItems.swift.

import CKVM

/// Lines 0 to 23 of a VM with interrupt controllers in the kernel. Holds the descriptor, not the VM: it must not outlive it.
public struct InterruptLines: Sendable {
    let vm: Int32

    /// The corresponding ioctl is `KVM_IRQ_LINE`.
    public func set(_ line: UInt32, _ isHigh: Bool) throws(KVMError) {
        _ = try check(ckvm_set_irq_line(vm, line, isHigh ? 1 : 0), "KVM_IRQ_LINE")
    }
}

extension VCPU {
    /// Whether it executes something: not while it has halted, or waits to be started by another vCPU.
    /// The corresponding ioctl is `KVM_GET_MP_STATE`.
    public var isRunnable: Bool { ckvm_get_mp_state(fd) == Int(KVM_MP_STATE_RUNNABLE) }

    /// Has KVM know the local APIC of a vCPU that is not the first: until then, or until some vCPU changes its own APIC's
    /// registers, a message to its ID alone is lost. The corresponding ioctls are `KVM_GET_LAPIC` and `KVM_SET_LAPIC`.
    public func announceLocalAPIC() throws(KVMError) {
        _ = try check(ckvm_announce_local_apic(fd), "KVM_SET_LAPIC")
    }

    /// Has a vCPU run that is not the first, without another one starting it. The corresponding ioctl is `KVM_SET_MP_STATE`.
    public func makeRunnable() throws(KVMError) { _ = try check(ckvm_make_runnable(fd), "KVM_SET_MP_STATE") }
}

extension VM {
    /// Puts PICs, I/O APIC, local APICs and the PIT into the kernel; before the vCPU is made. The PICs' lines are masked, as
    /// firmware leaves them: a kernel that knows only the I/O APIC never masks them, and would get each interrupt twice.
    /// The corresponding ioctls are `KVM_CREATE_IRQCHIP`, `KVM_SET_IRQCHIP` and `KVM_CREATE_PIT2`.
    public func makeInterruptControllers() throws(KVMError) -> InterruptLines {
        try makeIRQChip()
        for chip: UInt32 in 0...1 { _ = try check(ckvm_mask_pic(fd, chip), "KVM_SET_IRQCHIP") }
        _ = try check(ckvm_create_pit(fd), "KVM_CREATE_PIT2")
        return InterruptLines(vm: fd)
    }

    /// Lends VMX three pages at an address where no memory is; other KVMs need none and may not know the request.
    /// The corresponding ioctl is `KVM_SET_TSS_ADDR`.
    public func setTaskStateAddress(_ address: UInt64) { _ = ckvm_set_tss_address(fd, UInt(address)) }
}
