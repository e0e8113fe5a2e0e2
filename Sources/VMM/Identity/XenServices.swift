// What a domain asks of Xen: its memory, the version, the console, its processors, its end, parameters.
//
// As far as a kernel needs it to start and to run: there is no other domain, no store and no grant table. Commands and structs:
// xen/include/public/memory.h, version.h, vcpu.h, sched.h, hvm/hvm_op.h, hvm/params.h. Read next: XenChannels.swift.

import Boot
import Glibc
import GuestMemory

extension Xen {
    /// DOMID_SELF: no other domain is there.
    static let ownDomain: UInt64 = 0x7ff0

    mutating func memoryCall(
        _ call: XenCall, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        switch call.command {
        case 3, 4:  // current_reservation, maximum_reservation: pages
            return input.field(0, 2) == Self.ownDomain ? XenAnswer(Int64(facts.memorySize >> 12)) : .failed(ESRCH)
        case 7: return addToPhysicalMap(call, input, memory)
        case 9: return memoryMap(call, input)
        default: return .failed(ENOSYS)
        }
    }

    /// XENMAPSPACE_shared_info, the only space there is. The kernel names one of its own pages, and that is filled.
    private mutating func addToPhysicalMap(
        _ call: XenCall, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        guard input.field(0, 2) == Self.ownDomain else { return .failed(ESRCH) }
        let page = call.isLong ? input.field(16, 8) : input.field(12, 4)
        guard input.field(4, 4) == 0, page < 1 << 40 else { return .failed(EINVAL) }
        return share(GuestAddress(page << 12), isLong: call.isLong, memory) ? XenAnswer(0) : .failed(EINVAL)
    }

    /// In: how many lines of E820 there is room for, and where. Out: how many there are.
    private func memoryMap(_ call: XenCall, _ input: [UInt8]) -> XenAnswer {
        let lines = KernelMemory(size: facts.memorySize).e820.prefix(Int(input.field(0, 4)))
        var answer = XenAnswer(0, input.setting(0, UInt32(lines.count)))
        answer.more = (call.isLong ? input.field(8, 8) : input.field(4, 4), lines.flatMap(\.self))
        return answer
    }

    func versionCall(_ call: XenCall, _ input: [UInt8]) -> XenAnswer {
        func text(_ text: String, _ size: Int) -> XenAnswer {
            XenAnswer(0, Array(text.utf8) + [UInt8](repeating: 0, count: size - text.utf8.count))
        }
        switch call.command {
        case 0: return XenAnswer(Int64(Self.version))
        case 1: return text(".0-swiftlet", 16)
        case 3: return text("hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64", 1024)
        case 4: return text("", 64)
        case 6: return features(input)
        case 7: return XenAnswer(4096)
        case 8: return XenAnswer(0, facts.uuid)
        default: return .failed(ENOSYS)
        }
    }

    /// The first 32: the kernel's page numbers are the machine's (auto_translated_physmap), and the clock in vcpu_info is
    /// right for all processors (hvm_safe_pvclock). Events come by each processor's own vector, not by hvm_callback_vector.
    private func features(_ input: [UInt8]) -> XenAnswer {
        XenAnswer(0, input.setting(4, input.field(0, 4) == 0 ? 1 << 2 | 1 << 9 : 0))
    }

    /// Writes go where the serial port's do, and nothing was typed.
    func consoleCall(_ call: XenCall, _ input: [UInt8]) -> XenAnswer {
        switch call.command {
        case 0 where call.second > XenCall.longestText: return .failed(E2BIG)
        case 0:
            var answer = XenAnswer(0)
            answer.effect = .print(input)
            return answer
        case 1: return XenAnswer(0)
        default: return .failed(ENOSYS)
        }
    }

    mutating func processorCall(
        _ call: XenCall, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        guard call.second < UInt64(facts.cpus) else { return .failed(ENOENT) }
        let cpu = Int(call.second)
        switch call.command {
        case 5: return registerRunState(call, input)
        case 7: return XenAnswer(0)  // no periodic timer is going
        case 8 where cpu == call.cpu: return setTimer(call, input)
        case 9 where cpu == call.cpu:
            deadlines[cpu] = nil
            return XenAnswer(0)
        case 8, 9: return .failed(EINVAL)
        case 10: return registerInfo(cpu, input, memory)
        default: return .failed(ENOSYS)
        }
    }

    /// Where a processor's time goes, written once: it has always run, as far as anybody here knows.
    private func registerRunState(_ call: XenCall, _ input: [UInt8]) -> XenAnswer {
        var answer = XenAnswer(0)
        let size = call.isLong ? 48 : 44  // vcpu_runstate_info: state 0 is running
        answer.more = (call.isLong ? input.field(0, 8) : input.field(0, 4), [UInt8](repeating: 0, count: size))
        return answer
    }

    /// For one shot, at a time of the clock in vcpu_info; flag 0: only if that is still to come.
    private mutating func setTimer(_ call: XenCall, _ input: [UInt8]) -> XenAnswer {
        let deadline = input.field(0, 8)
        if input.field(8, 4) & 1 != 0, deadline < facts.clock.now() { return .failed(ETIME) }
        deadlines[call.cpu] = deadline
        var answer = XenAnswer(0)
        answer.effect = .timer
        return answer
    }

    /// Moves a processor's vcpu_info, once, inside a page. Xen then marks all channels, for one that came while it moved; here
    /// none can come, for one vCPU at a time has these services in hand.
    private mutating func registerInfo(
        _ cpu: Int, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        let (page, offset) = (input.field(0, 8), input.field(8, 4))
        let size = XenSharedPage.infoSize
        guard places[cpu] == nil, page < 1 << 40, offset <= 4096 - size, offset % 8 == 0 else { return .failed(EINVAL) }
        let place = GuestAddress(page << 12 | offset)
        let old = shared?.place(cpu: cpu).flatMap { memory.bytes($0, Int(size)) }
        guard memory.write(bytes: old ?? [UInt8](repeating: 0, count: Int(size)), at: place) else {
            return .failed(EINVAL)
        }
        XenSharedPage.writeTime(memory, place, facts.clock)
        places[cpu] = place
        return XenAnswer(0)
    }

    /// Who yields, blocks or polls goes on at once: interrupts are the local APIC's, and HLT waits for them.
    func schedulerCall(_ call: XenCall, _ input: [UInt8]) -> XenAnswer {
        var answer = XenAnswer(0)
        switch call.command {
        case 0, 1, 3: break
        case 2 where input.field(0, 4) <= 1: answer.effect = .shutdown(.powerOff)  // and reboot
        case 2 where input.field(0, 4) == 3: answer.effect = .shutdown(.crash)
        case 2: return .failed(EINVAL)
        default: return .failed(ENOSYS)
        }
        return answer
    }

    /// Parameters are the guest's own numbers: 0 says to a kernel that there is no store and no console ring.
    mutating func hvmCall(
        _ call: XenCall, _ input: [UInt8], _ memory: borrowing GuestMemory
    ) -> XenAnswer {
        switch call.command {
        case 0, 1:
            guard input.field(0, 2) == Self.ownDomain else { return .failed(ESRCH) }
            let index = Int(input.field(4, 4))
            guard parameters.indices.contains(index) else { return .failed(EINVAL) }
            if call.command == 0 {
                parameters[index] = input.field(8, 8)
                return XenAnswer(0)
            }
            let value = parameters[index]
            let halves = (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
            return XenAnswer(0, input.setting(8, halves.0).setting(12, halves.1))
        case 23: return setUpcallVector(input, memory)
        default: return .failed(ENOSYS)
        }
    }
}
