// What a kernel's machine answers in the name of a vendor.
//
// Leaves in CPUID say what there is (Identity.swift); here is who answers. All of it is in user space, the same on every KVM,
// but KVM's own clock, which is the kernel's. One vCPU at a time has it in hand, as it has the ports.
// Read next: VMwareBackdoor.swift.

import KVM

/// The services of a vendor's hypervisor.
struct VendorServices {
    var vmware: VMwareBackdoor?

    /// KVM's own, which is the kernel's.
    init() {}

    /// The facts cost a system call, so only a vendor that tells them asks for them.
    init(_ identity: Identity, _ facts: @autoclosure () throws(MachineError) -> MachineFacts) throws(MachineError) {
        if identity == .vmware { vmware = VMwareBackdoor(try facts()) }
    }
}

extension RunLoop {
    /// Answers an exit that is the vendor's; false: it is somebody else's.
    mutating func answerVendor(_ exit: Exit) -> Bool {
        switch exit {
        case .portRead(VMwareBackdoor.port, size: 4, count: 1): return answerVMware()
        default: return false
        }
    }

    /// EAX is the IN's, and the others are the registers' (KVM keeps both ways open for this very port: x86.c,
    /// emulate_regs_need_sync_from_vcpu).
    private mutating func answerVMware() -> Bool {
        var registers = vcpu.synchronisedRegisters
        guard ports?.vendor.vmware?.call(&registers) == true else { return false }
        vcpu.synchronisedRegisters = registers
        vcpu.answerPortItem(0, size: 4, UInt32(truncatingIfNeeded: registers.rax))
        return true
    }
}
