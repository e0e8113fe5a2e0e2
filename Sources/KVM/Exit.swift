// Why KVM_RUN came back, decoded once from the shared kvm_run page into an enum that the run loop switches on.
//
// The decoding inlines into the loop: after optimisation no Exit value exists in memory (KVM API, section 5).
// Read next: VCPU.swift.

import CKVM

/// An exit to user space.
@frozen
public enum Exit: Equatable, Sendable {
    /// `OUT`: `value` holds the first item, zero-extended; `count` is above 1 only for string instructions.
    case portWrite(port: UInt16, size: UInt8, count: UInt32, value: UInt32)
    /// `IN`: the answer goes to `VCPU.answerPortRead` before the next run.
    case portRead(port: UInt16, size: UInt8, count: UInt32)
    /// A write where no slot is, or to a read-only slot.
    case mmioWrite(address: UInt64, size: UInt32, value: UInt64)
    /// A read where no slot is.
    case mmioRead(address: UInt64, size: UInt32)
    /// `HLT` with no interrupt controller in the kernel.
    case halt
    /// A triple fault.
    case shutdown
    /// KVM could not go on, most often an instruction that it cannot emulate (`KVM_INTERNAL_ERROR_...`).
    case internalError(suberror: UInt32)
    /// The hardware refused the guest's state; the reason is VMX's or SVM's.
    case failEntry(reason: UInt64)
    /// A signal or immediate_exit ended the run.
    case interrupted
    /// Debug exit (`KVM_SET_GUEST_DEBUG`).
    case debug
    /// `RDMSR` of a register that `VM.leaveToUser(msrs:)` named: the answer goes to `VCPU.answerMSR` before the next run.
    case msrRead(index: UInt32)
    /// `WRMSR` of such a register; `VCPU.answerMSR` too.
    case msrWrite(index: UInt32, value: UInt64)
    /// Any other `exit_reason`.
    case other(UInt32)
}

extension VCPU {
    /// The exit that ended the last `run()`. Port writes, the exits that come by the million, are decoded in place.
    @inlinable
    public var exit: Exit {
        let io = unsafe shared.pointee.io
        if unsafe shared.pointee.exit_reason == CKVM_EXIT_IO, io.direction == CKVM_EXIT_IO_OUT {
            return .portWrite(
                port: io.port, size: io.size, count: io.count, value: portValue(io.data_offset, io.size))
        }
        return unsafe otherExit(shared)
    }

    /// The item that an `OUT` wrote: KVM puts it at an offset behind the kvm_run struct.
    @inlinable
    func portValue(_ offset: UInt64, _ size: UInt8) -> UInt32 {
        // Sound: KVM gives an offset inside the mapping, with at least 4 KiB behind it.
        let data = unsafe UnsafeRawPointer(shared) + Int(truncatingIfNeeded: offset)
        let item = unsafe data.load(as: UInt32.self)
        return size == 4 ? item : item & (1 &<< (UInt32(size) &* 8) &- 1)
    }
}

/// Any exit but a port write.
@usableFromInline @inline(never)
func otherExit(_ run: UnsafeMutablePointer<kvm_run>) -> Exit {
    switch unsafe run.pointee.exit_reason {
    case CKVM_EXIT_IO:
        let io = unsafe run.pointee.io
        return .portRead(port: io.port, size: io.size, count: io.count)
    case CKVM_EXIT_MMIO: return unsafe mmioExit(run)
    case CKVM_EXIT_HLT: return .halt
    case CKVM_EXIT_SHUTDOWN: return .shutdown
    case CKVM_EXIT_INTR: return .interrupted
    case CKVM_EXIT_DEBUG: return .debug
    case CKVM_EXIT_X86_RDMSR: return unsafe .msrRead(index: run.pointee.msr.index)
    case CKVM_EXIT_X86_WRMSR: return unsafe .msrWrite(index: run.pointee.msr.index, value: run.pointee.msr.data)
    case CKVM_EXIT_INTERNAL_ERROR: return unsafe .internalError(suberror: run.pointee.internal.suberror)
    case CKVM_EXIT_FAIL_ENTRY:
        return unsafe .failEntry(reason: run.pointee.fail_entry.hardware_entry_failure_reason)
    case let reason: return .other(reason)
    }
}

private func mmioExit(_ run: UnsafeMutablePointer<kvm_run>) -> Exit {
    let mmio = unsafe run.pointee.mmio
    if mmio.is_write == 0 { return .mmioRead(address: mmio.phys_addr, size: mmio.len) }
    var value: UInt64 = 0
    let bytes = mmio.data
    for (index, byte) in [bytes.0, bytes.1, bytes.2, bytes.3, bytes.4, bytes.5, bytes.6, bytes.7].enumerated()
    where index < mmio.len {
        value |= UInt64(byte) << (8 * UInt64(index))
    }
    return .mmioWrite(address: mmio.phys_addr, size: mmio.len, value: value)
}
