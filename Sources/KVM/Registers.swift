// A vCPU's registers by ioctl: for set-up, reports and debuggers. The exit path never calls any of these.
//
// Each costs 5 to 6 us on the software KVM. Read next: CPUID.swift.

import CKVM

/// General registers, RIP and RFLAGS. The corresponding struct is `kvm_regs`.
public typealias Registers = kvm_regs
/// Segments, control registers and descriptor tables. The corresponding struct is `kvm_sregs`.
public typealias SpecialRegisters = kvm_sregs
/// One segment register with its hidden part. The corresponding struct is `kvm_segment`.
public typealias Segment = kvm_segment
/// x87 and SSE state. The corresponding struct is `kvm_fpu`.
public typealias FloatingPointState = kvm_fpu

extension Segment {
    /// Code or data from 0 to 4 GiB, present. `type` as in a descriptor (Intel SDM vol. 3A, 3.4.5.1).
    package static func flat(_ selector: UInt16, type: UInt8, privilege: UInt8, isLong: Bool) -> Segment {
        var segment = Segment()
        (segment.limit, segment.g, segment.present, segment.s) = (0xffff_ffff, 1, 1, 1)
        (segment.selector, segment.type, segment.dpl) = (selector, type, privilege)
        (segment.l, segment.db) = isLong ? (1, 0) : (0, 1)
        return segment
    }

    /// The task register with a 64-bit TSS in use: VMX enters with no other (Intel SDM vol. 3C, 26.3.1.2).
    package static func taskState(_ selector: UInt16 = 0, base: UInt64 = 0, limit: UInt32 = 0) -> Segment {
        var segment = Segment()
        (segment.selector, segment.base, segment.limit) = (selector, base, limit)
        (segment.type, segment.present) = (0xb, 1)
        return segment
    }
}

extension VCPU {
    /// The corresponding ioctls are `KVM_GET_REGS` and `KVM_SET_REGS`.
    public func registers() throws(KVMError) -> Registers {
        var regs = Registers()
        _ = try check(unsafe ckvm_get_regs(fd, &regs), "KVM_GET_REGS")
        return regs
    }

    public func setRegisters(_ regs: Registers) throws(KVMError) {
        var regs = regs
        _ = try check(unsafe ckvm_set_regs(fd, &regs), "KVM_SET_REGS")
    }

    /// Segments, control registers and tables. The corresponding ioctls are `KVM_GET_SREGS` and `KVM_SET_SREGS`.
    public func specialRegisters() throws(KVMError) -> SpecialRegisters {
        var sregs = SpecialRegisters()
        _ = try check(unsafe ckvm_get_sregs(fd, &sregs), "KVM_GET_SREGS")
        return sregs
    }

    public func setSpecialRegisters(_ sregs: SpecialRegisters) throws(KVMError) {
        var sregs = sregs
        _ = try check(unsafe ckvm_set_sregs(fd, &sregs), "KVM_SET_SREGS")
    }

    /// x87 and SSE state. The corresponding ioctl is `KVM_GET_FPU`.
    public func floatingPoint() throws(KVMError) -> FloatingPointState {
        var fpu = FloatingPointState()
        _ = try check(unsafe ckvm_get_fpu(fd, &fpu), "KVM_GET_FPU")
        return fpu
    }

    /// Which vector state the guest may use. The corresponding ioctl is `KVM_SET_XCRS`.
    public func setXCR0(_ value: UInt64) throws(KVMError) {
        _ = try check(ckvm_set_xcr0(fd, value), "KVM_SET_XCRS")
    }

    /// The corresponding ioctl is `KVM_SET_CPUID2`; give it once, before the first run.
    public func setCPUID(_ cpuid: CPUID) throws(KVMError) {
        let result = unsafe cpuid.withTable { unsafe ckvm_set_cpuid2(fd, $0) }
        _ = try check(result, "KVM_SET_CPUID2")
    }

    /// A model-specific register. The corresponding ioctl is `KVM_GET_MSRS`.
    public func msr(_ index: UInt32) throws(KVMError) -> UInt64 {
        var value: UInt64 = 0
        _ = try check(unsafe ckvm_get_msr(fd, index, &value), "KVM_GET_MSRS")
        return value
    }

    /// The corresponding ioctl is `KVM_SET_MSRS`.
    public func setMSR(_ index: UInt32, _ value: UInt64) throws(KVMError) {
        _ = try check(ckvm_set_msr(fd, index, value), "KVM_SET_MSRS")
    }

    /// The guest's TSC rate in kHz. The corresponding ioctl is `KVM_GET_TSC_KHZ`.
    public func tscKilohertz() throws(KVMError) -> Int {
        try check(ckvm_get_tsc_khz(fd), "KVM_GET_TSC_KHZ")
    }

    /// What is added to the host's TSC when the guest reads it; 0: both read the same.
    /// The corresponding ioctl is `KVM_SET_DEVICE_ATTR` with `KVM_VCPU_TSC_OFFSET`; ENXIO before Linux 5.16.
    public func setTSCOffset(_ offset: UInt64) throws(KVMError) {
        _ = try check(ckvm_set_tsc_offset(fd, offset), "KVM_VCPU_TSC_OFFSET")
    }

    /// Has an external interrupt delivered as soon as the guest can take it.
    /// The corresponding ioctl is `KVM_INTERRUPT`; EEXIST when one is already waiting.
    public func interrupt(vector: UInt8) throws(KVMError) {
        _ = try check(ckvm_interrupt(fd, UInt32(vector)), "KVM_INTERRUPT")
    }
}
