// A vCPU's whole state by KVM's requests: taken from one, loaded into a new one.
//
// MSRs: a ring-3 guest cannot write any, but KVM may change some for it. Those that differ from a new vCPU's with the same
// CPUID are kept; none, usually. Which fail to load is an error: they would not be harmless. Read next: MemoryScan.swift.

import CSnapshot
import KVM

extension VCPU {
    /// Everything that KVM knows of it; the vCPU must be at an instruction boundary (`completePendingIO`).
    func image(comparedWith kvm: borrowing KVM) throws(KVMError) -> [UInt8] {
        var image = [UInt8](repeating: 0, count: Int(csnapshot_vcpu_size()))
        // Sound, here and below: the shims fill or read one struct of the size that they gave.
        try succeed(unsafe csnapshot_get_vcpu(fd, &image))
        let fresh = try kvm.makeVM()
        try fresh.enableSplitIRQChip()
        let newVCPU = try fresh.makeVCPU(mappingSize: kvm.vcpuMappingSize())
        try succeed(unsafe csnapshot_set_cpuid(newVCPU.fd, &image))
        try succeed(unsafe csnapshot_get_changed_msrs(kvm.fd, fd, newVCPU.fd, &image))
        return image
    }

    /// Brings a new vCPU to that state.
    func load(_ image: Bytes) throws(KVMError) { try unsafe load(UnsafeRawPointer(image.start)) }

    /// From a whole one.
    @unsafe func load(_ image: UnsafeRawPointer) throws(KVMError) {
        try succeed(unsafe csnapshot_set_vcpu(fd, image))
        synchroniseRegisters()
    }
}

private func succeed(_ result: csnapshot_failure) throws(KVMError) {
    if result.error != 0 { throw KVMError(stepName(result.step), errno: result.error) }
}

/// The requests by their numbers in csnapshot.h.
func stepName(_ step: Int32) -> StaticString {
    switch step {
    case 1: "KVM_GET_REGS"
    case 2: "KVM_GET_SREGS"
    case 3: "KVM_GET_XSAVE"
    case 4: "KVM_GET_XCRS"
    case 5: "KVM_GET_DEBUGREGS"
    case 6: "KVM_GET_VCPU_EVENTS"
    case 7: "KVM_GET_MP_STATE"
    case 8: "KVM_GET_CPUID2"
    case 9: "KVM_SET_CPUID2"
    case 10: "KVM_SET_SREGS"
    case 11: "KVM_SET_XCRS"
    case 12: "KVM_SET_XSAVE"
    case 13: "KVM_SET_MSRS"
    case 14: "KVM_SET_REGS"
    case 15: "KVM_SET_DEBUGREGS"
    case 16: "KVM_SET_VCPU_EVENTS"
    case 17: "KVM_SET_MP_STATE"
    default: "KVM_GET_MSR_INDEX_LIST"
    }
}
