// A virtual CPU: the third level of KVM's file descriptors, and the page it shares with the kernel (kvm_run).
//
// `run()` is the hot path: one ioctl. With synchronised registers (KVM_CAP_SYNC_REGS) the general registers lie in the
// shared page after every exit, so reading them costs no system call. Read next: Exit.swift.

import CKVM
import Glibc

/// A vCPU. All calls belong to the one thread that runs it.
@safe public struct VCPU: ~Copyable, @unchecked Sendable {
    public let fd: Int32
    @usableFromInline let shared: UnsafeMutablePointer<kvm_run>
    @usableFromInline let mappingSize: Int

    init(fd: Int32, mappingSize: Int) throws(KVMError) {
        let mapping = unsafe mmap(nil, mappingSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            close(fd)
            throw KVMError("mmap of kvm_run", errno: errno)
        }
        self.fd = fd
        self.mappingSize = mappingSize
        // Sound: the kernel lays a struct kvm_run at the start of the mapping (KVM API, section 4.5).
        unsafe shared = mapping.assumingMemoryBound(to: kvm_run.self)
    }

    deinit {
        unsafe munmap(shared, mappingSize)
        close(fd)
    }

    /// Runs the guest until the next exit. Returns 0, or the positive errno: EINTR after a kick, EAGAIN once when an
    /// application processor starts. The corresponding ioctl is `KVM_RUN`.
    @inlinable
    public func run() -> Int32 {
        Int32(truncatingIfNeeded: -ckvm_run(fd))
    }

    /// The byte that a signal handler sets so that a run which has not begun yet ends at once
    /// (`kvm_run.immediate_exit`): its address in this process.
    public var kickByteAddress: UInt { unsafe UInt(bitPattern: shared) + 1 }

    @inlinable
    public var immediateExit: Bool {
        get { unsafe shared.pointee.immediate_exit != 0 }
        nonmutating set { unsafe shared.pointee.immediate_exit = newValue ? 1 : 0 }
    }

    /// Has the kernel write the general registers into the shared page at every exit.
    public func synchroniseRegisters() {
        unsafe shared.pointee.kvm_valid_regs = UInt64(KVM_SYNC_X86_REGS)
    }

    /// RIP at the last exit, free of charge; at a port exit it is the instruction or the next one, as the host's KVM has it.
    /// Needs `synchroniseRegisters()`.
    @inlinable
    public var instructionPointer: UInt64 {
        unsafe shared.pointee.s.regs.regs.rip
    }

    /// RBP at the last exit, free of charge. Needs `synchroniseRegisters()`.
    public var basePointer: UInt64 { unsafe shared.pointee.s.regs.regs.rbp }

    /// Whether an interrupt that KVM was given still waits for its delivery, as of the last run's end.
    public var holdsInterrupt: Bool {
        unsafe shared.pointee.ready_for_interrupt_injection == 0 && shared.pointee.if_flag != 0
    }

    /// What an `IN` reads: the same value for each item.
    public func answerPortRead(_ value: UInt32) {
        let io = unsafe shared.pointee.io
        // Sound: as in `portValue`; size times count bytes are inside the page at the offset.
        let data = unsafe UnsafeMutableRawPointer(shared) + Int(truncatingIfNeeded: io.data_offset)
        for item in 0..<Int(io.count) {
            for byte in 0..<Int(io.size) {
                unsafe data.storeBytes(
                    of: UInt8(truncatingIfNeeded: value >> UInt32(8 * byte)),
                    toByteOffset: item * Int(io.size) + byte, as: UInt8.self)
            }
        }
    }

    /// Finishes the instruction of the last exit without running more of the guest, so that the registers are those of
    /// an instruction boundary (KVM API, section 5: pending operations).
    public func completePendingIO() {
        immediateExit = true
        _ = run()
    }
}
