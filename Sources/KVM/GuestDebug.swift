// KVM as a debugger's helper: exits at steps and breakpoints, and the vector registers.
//
// A guest in ring 3 needs no such exits, and where ring 3 runs natively without VMX or SVM it gets none (docs/gdb.md).
// Read next: CPUID.swift.

import CKVM

/// What a vCPU leaves the guest for. The corresponding ioctl is `KVM_SET_GUEST_DEBUG`.
public struct GuestDebug: Equatable, Sendable {
    public var isEnabled = false
    public var steps = false
    /// DR0 to DR3, and DR7; 0 in DR7: none.
    public var addresses: [4 of UInt64] = [0, 0, 0, 0]
    public var control: UInt64 = 0

    public init() {}

    public static func == (a: GuestDebug, b: GuestDebug) -> Bool {
        a.isEnabled == b.isEnabled && a.steps == b.steps && a.control == b.control
            && a.addresses.indices.allSatisfy { a.addresses[$0] == b.addresses[$0] }
    }
}

/// What an `Exit.debug` was for.
public struct DebugExit: Equatable, Sendable {
    /// 1: a step, or a debug register; 3: INT3.
    public let vector: UInt32
    public let address: UInt64
    /// DR6: bits 0 to 3 tell which register, bit 14 a step (Intel SDM vol. 3B, 18.2.3).
    public let status: UInt64
}

extension VCPU {
    public var debugExit: DebugExit {
        let debug = unsafe shared.pointee.debug.arch
        return DebugExit(vector: debug.exception, address: debug.pc, status: debug.dr6)
    }

    /// Steps without interrupts in between where this KVM can.
    public func debug(_ wish: GuestDebug) throws(KVMError) {
        let registers: [8 of UInt64] = [
            wish.addresses[0], wish.addresses[1], wish.addresses[2], wish.addresses[3], 0, 0, 0, wish.control,
        ]
        var control: UInt32 = wish.isEnabled ? CKVM_DEBUG_ENABLE | CKVM_DEBUG_INT3 : 0
        if wish.isEnabled, wish.steps { control |= CKVM_DEBUG_STEP }
        if wish.isEnabled, wish.control != 0 { control |= CKVM_DEBUG_REGISTERS }
        var result = wish.steps ? set(control | CKVM_DEBUG_NO_INTERRUPTS, registers) : -1
        if result < 0 { result = set(control, registers) }
        _ = try check(result, "KVM_SET_GUEST_DEBUG")
    }

    private func set(_ control: UInt32, _ registers: [8 of UInt64]) -> Int {
        // Sound: the shim reads eight words.
        unsafe registers.span.withUnsafeBufferPointer { unsafe ckvm_set_guest_debug(fd, control, $0.baseAddress) }
    }

    /// x87 to AVX-512 in XSAVE's standard format, 4096 bytes. The corresponding ioctls are `KVM_GET_XSAVE` and
    /// `KVM_SET_XSAVE`.
    public func vectorState() throws(KVMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4096)
        _ = try check(unsafe ckvm_get_xsave(fd, &bytes), "KVM_GET_XSAVE")
        return bytes
    }

    /// 4096 bytes.
    public func setVectorState(_ bytes: [UInt8]) throws(KVMError) {
        precondition(bytes.count == 4096)
        _ = try check(unsafe ckvm_set_xsave(fd, bytes), "KVM_SET_XSAVE")
    }
}
