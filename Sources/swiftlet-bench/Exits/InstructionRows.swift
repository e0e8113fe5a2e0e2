// Instructions that a hypervisor intercepts, and a call: HLT, CPUID, RDMSR, WRMSR, VMCALL, OUT of a struct's address.
//
// Read next: FaultRows.swift.

import GuestMemory
import Host
import KVM
import Rig

extension ExitRows {
    var instructions: [any Experiment] {
        rows("hlt", "HLT", .user, not: [.ring3: NotApplicable.privileged("HLT")]) {
            $0.subject.note = "no interrupt controller in the kernel"
            $0.plan = { $0.irqchip = .none }
            $0.answer = { exit, _ in exit == .halt }
        }
            + rows("cpuid", "CPUID", .kernel) { $0.countsExits = true }
            + rows("vmcall", "hypercall (\(hasVMMCALL ? "VMMCALL" : "VMCALL"))", .kernel) {
                $0.operation = hasVMMCALL ? "vmmcall" : "vmcall"
                $0.countsExits = true
                $0.limit = 500_000_000
                $0.subject.note = "KVM_HC_VAPIC_POLL_IRQ, which does nothing"
            }
    }

    /// Of IA32_MISC_ENABLE, which KVM keeps itself; a filter makes an exit of it (KVM API, 4.97).
    var registers: [any Experiment] {
        let read = [CPUMode.ring3: NotApplicable.privileged("RDMSR")]
        let write = [CPUMode.ring3: NotApplicable.privileged("WRMSR")]
        return rows("msr-read", "MSR read (RDMSR)", .kernel, not: read) { $0.countsExits = true }
            + rows("msr-read-user", "MSR read, filtered to user space", .user, not: read) {
                $0.operation = "msr-read"
                $0.leaveToUser()
            }
            + rows("msr-write", "MSR write (WRMSR)", .kernel, not: write) {
                $0.countsExits = true
                $0.operand = { rig throws(ExperimentError) in try tryKVM(try rig.vcpu.msr(register)) }
            }
            + rows("msr-write-user", "MSR write, filtered to user space", .user, not: write) {
                $0.operation = "msr-write"
                $0.leaveToUser()
            }
    }

    var calls: [any Experiment] {
        rows("call", "call with a struct", .user) {
            $0.answer = { exit, rig in exit.isCall && answerCall(rig.memory) }
        }
    }
}

/// AMD's CPUs have VMMCALL, and Hygon's: "Auth" and "Hygo" in EBX of CPUID leaf 0.
private let hasVMMCALL = [0x6874_7541, 0x6f67_7948].contains(Processor.cpuid(0).ebx)

/// EXITS_MSR.
private let register: UInt32 = 0x1a0

extension RigExperiment {
    fileprivate mutating func leaveToUser() {
        prepare = { rig throws(ExperimentError) in try tryKVM(try rig.vm.leaveToUser(msrs: register...register)) }
        answer = { exit, rig in
            switch exit {
            case .msrRead(register), .msrWrite(register, _):
                rig.vcpu.answerMSR(0)
                return true
            default: return false
            }
        }
    }
}

/// guests/exits/call.S.
private struct CallArguments: BitwiseCopyable {
    var number: UInt64
    var first: UInt64
    var second: UInt64
}

/// Copies the struct out, decides, and puts the answer behind it; false when it is no call of ours.
private func answerCall(_ memory: borrowing GuestMemory) -> Bool {
    let address = GuestAddress(RigMap.call)
    guard let arguments = memory.read(address, as: CallArguments.self), arguments.number == 1 else { return false }
    return memory.write(arguments.first, at: address + UInt64(MemoryLayout<CallArguments>.size))
}

extension Exit {
    fileprivate var isCall: Bool {
        if case .portWrite(RigMap.port, 4, 1, UInt32(truncatingIfNeeded: RigMap.call)) = self { true } else { false }
    }
}
