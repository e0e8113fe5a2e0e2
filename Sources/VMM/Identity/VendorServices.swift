// What a kernel's machine answers in the name of a vendor.
//
// Leaves in CPUID say what there is (Identity.swift); here is who answers. All of it is in user space, the same on every KVM,
// but KVM's own clock, which is the kernel's. One vCPU at a time has it in hand, as it has the ports.
// Read next: VMwareBackdoor.swift, HyperV.swift, Xen.swift.

import CKVM
import Glibc
import GuestMemory
import KVM
import X86

/// The services of a vendor's hypervisor.
struct VendorServices {
    var vmware: VMwareBackdoor?
    var hyperv: HyperV?
    var xen: Xen?

    /// KVM's own, which is the kernel's.
    init() {}

    /// The facts cost a system call, so only a vendor that tells them asks for them.
    init(_ identity: Identity, _ facts: @autoclosure () throws(MachineError) -> MachineFacts) throws(MachineError) {
        switch identity {
        case .none, .kvm: break
        case .vmware: vmware = VMwareBackdoor(try facts())
        case .hyperv: hyperv = HyperV(try facts())
        case .xen: xen = Xen(try facts())
        }
    }
}

extension VendorServices {
    fileprivate func read(_ index: UInt32, cpu: Int) -> RegisterAnswer? {
        hyperv?.read(index, cpu: cpu) ?? xen.map { _ in .refused }
    }

    fileprivate mutating func write(
        _ index: UInt32, _ value: UInt64, cpu: Int, _ memory: borrowing GuestMemory
    ) -> RegisterAnswer? {
        hyperv?.write(index, value, cpu: cpu, memory) ?? xen?.writeRegister(value, memory)
    }
}

/// What became of an access to a vendor's MSR.
enum RegisterAnswer: Equatable {
    case value(UInt64)
    case written
    /// A general protection fault.
    case refused
    /// The machine ends, as by any other reset.
    case reset
}

/// Where pages of hypercalls lead: `out imm8, eax` there is an exit on every KVM, and nobody's port in a PC.
enum HypercallPort {
    static let number: UInt8 = 0x9f
    /// OUT of EAX, and RET.
    static let code: [UInt8] = [0xe7, number, 0xc3]
}

extension Identity {
    /// MSRs that are answered here.
    var registers: ClosedRange<UInt32>? {
        switch self {
        case .none, .kvm, .vmware: nil
        case .hyperv: HyperV.registers
        case .xen: Xen.register...Xen.register
        }
    }
}

extension RunLoop {
    /// Answers an exit that is the vendor's; false: it is somebody else's.
    mutating func answerVendor(_ exit: Exit) -> Bool {
        switch exit {
        case .portRead(VMwareBackdoor.port, size: 4, count: 1): return answerVMware()
        case .portWrite(UInt16(HypercallPort.number), size: 4, count: 1, _): return answerHypercall()
        case .other(CKVM_EXIT_XEN): return answerInstruction()
        case .msrRead(let index): return answerRegister(ports?.vendor.read(index, cpu: context.index))
        case .msrWrite(let index, let value):
            return answerRegister(
                ports?.vendor.write(index, value, cpu: context.index, context.platform.memory))
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

    private mutating func answerRegister(_ answer: RegisterAnswer?) -> Bool {
        switch answer {
        case .value(let value)?: vcpu.answerMSR(value)
        case .written?: vcpu.answerMSR(0)
        case .refused?: vcpu.refuseMSR()
        case .reset?: ports?.end()
        case nil: return false
        }
        return true
    }

    /// An OUT has nothing to complete: its registers are the answer's.
    private mutating func answerHypercall() -> Bool {
        guard let special = try? vcpu.specialRegisters() else { return false }
        let isLong = special.cs.l != 0
        var registers = vcpu.synchronisedRegisters
        if let hyperv = ports?.vendor.hyperv {
            hyperv.call(&registers, isLong: isLong)
        } else if special.ss.dpl != 0 {
            registers.rax = UInt64(bitPattern: -Int64(EPERM))
        } else if !callXen(&registers, isLong: isLong, special) {
            return false
        }
        vcpu.synchronisedRegisters = registers
        return true
    }

    /// The same call by VMCALL or VMMCALL, on a KVM that hands those over: Linux since 6.13, and its stable versions since the
    /// end of 2024 (XSA-466), uses no page. Only ring 0 may call.
    private mutating func answerInstruction() -> Bool {
        guard let call = vcpu.xenCall else { return false }
        var registers = call.registers
        if call.privilege != 0 {
            registers.rax = UInt64(bitPattern: -Int64(EPERM))
        } else {
            guard let special = try? vcpu.specialRegisters(), callXen(&registers, isLong: call.isLong, special) else {
                return false
            }
        }
        vcpu.answerXenCall(registers.rax)
        return true
    }

    /// Arguments are the kernel's, of its programs only while EFLAGS.AC lets it at them (SMAP; Intel SDM vol. 3A, 4.6.1).
    private mutating func callXen(_ registers: inout Registers, isLong: Bool, _ special: SpecialRegisters) -> Bool {
        var pages = PagingState(special)
        if vcpu.synchronisedRegisters.rflags & RFLAGS.alignmentCheck != 0 { pages.cr4 &= ~CR4.supervisorAccess }
        let effect = ports?.vendor.xen?.call(
            &registers, isLong: isLong, cpu: context.index, context.platform.memory, through: pages)
        guard let effect else { return false }
        apply(effect)
        return true
    }

    private mutating func apply(_ effect: XenEffect) {
        switch effect {
        case .none: break
        case .print(let text): ports?.serial.add(text)
        case .shutdown(.crash):
            _ = context.crash(.declared("the kernel says that it has crashed (SCHEDOP_shutdown)"))
            let stop = stopped()
            ports?.end(stop)
        case .shutdown: ports?.end()
        case .upcall(let cpu, let vector): context.platform.kernel?.lines?.send(vector, to: UInt32(cpu))
        case .timer: armTimer(nextLook)
        }
    }

    /// Has the vCPU kicked in so many nanoseconds, or when the vendor's timer is due.
    mutating func armTimer(_ nanoseconds: UInt64?) {
        let vendors = ports?.vendor.xen?.remaining(cpu: context.index)
        try? context.timer.arm(nanoseconds: [nanoseconds, vendors].compactMap(\.self).min().map { max($0, 1) })
    }

    /// At a kick: the vendor's timer may be due.
    mutating func runVendorTimer() {
        guard let effect = ports?.vendor.xen?.expire(cpu: context.index, context.platform.memory) else { return }
        apply(effect)
    }
}
