// An exit's way when a deprivileged guest has trapped: frame, cause, what is done for the guest.
//
// The stub's OUT has the vector for a port; what the CPU pushed lies on the monitor's stack, which the guest can write.
// So everything read here is the guest's word: the worst it can do is to deceive itself.
// Read next: VMM/Hvt/HvtRingThree.swift.

import GuestMemory
import KVM
import X86

extension DeprivilegedCPU {
    /// Handles a stub's exit. `registers` are the stub's, and then those that the guest goes on with.
    package mutating func trap<System: SystemRegisters & ~Copyable>(
        vector: Int, _ registers: inout Registers, _ memory: borrowing GuestMemory, _ system: borrowing System
    ) -> TrapOutcome {
        let hasCode = Vector.hasErrorCode(vector)
        let top = MonitorMap.stackTop
        guard vector < MonitorMap.vectors, registers.rsp == top - (hasCode ? 48 : 40) else { return .forged }
        let code = hasCode ? monitor.stackWord(top - 48) : nil
        registers.rip = trapOrigin
        registers.rflags = monitor.stackWord(top - 24)
        registers.rsp = monitor.stackWord(top - 16)
        // Where IOPL counts, CLI, STI and POPF have run without us and the real flag is the guest's.
        if registers.rflags & Flags.ioPrivilege == Flags.ioPrivilege {
            virtual.interrupts = registers.rflags & Flags.interrupts != 0
        }
        registers.rflags = Flags.real(registers.rflags, interrupts: virtual.interrupts)
        if isDebugged, vector == Vector.debug || vector == Vector.breakpoint { return .debug }
        let before = registers
        let outcome = answer(vector, code, &registers, memory, system)
        switch outcome {
        case .resume, .call, .halt: break
        default: registers = before  // for a report, or for ring 0 to try again
        }
        return outcome
    }

    private mutating func answer<System: SystemRegisters & ~Copyable>(
        _ vector: Int, _ code: UInt64?, _ registers: inout Registers, _ memory: borrowing GuestMemory,
        _ system: borrowing System
    ) -> TrapOutcome {
        switch vector {
        case Vector.generalProtection, Vector.invalidOpcode:
            // INT n is #UD on the software KVM and #GP elsewhere.
            if let instruction = Decoder.decode(monitor.code(at: registers.rip, memory)) {
                return run(instruction, &registers, memory, system)
            }
        case Vector.alignmentCheck:
            // At ring 0 there is no such thing, so a guest may leave AC set.
            registers.rflags &= ~Flags.alignmentCheck
            return .resume
        case Vector.pageFault:
            return pageFault(code ?? 0, at: system.faultAddress(), &registers, memory)
        default: break
        }
        return deliver(Exception(vector: vector, code: code), &registers, memory)
    }

    private mutating func run<System: SystemRegisters & ~Copyable>(
        _ instruction: Instruction, _ registers: inout Registers, _ memory: borrowing GuestMemory,
        _ system: borrowing System
    ) -> TrapOutcome {
        do throws(Exception) {
            let outcome = try execute(instruction, &registers, memory, system)
            if outcome == .resume, monitor.hasShortcuts { runAhead(&registers, memory, system) }
            return outcome
        } catch { return deliver(error, &registers, memory) }
    }

    private mutating func pageFault(
        _ code: UInt64, at address: UInt64, _ registers: inout Registers, _ memory: borrowing GuestMemory
    ) -> TrapOutcome {
        if isSyscall(registers, address, memory) {
            // The software KVM takes SYSCALL to LSTAR, which is 0, though SCE is clear; hardware says #UD.
            registers.rip = registers.rcx &- 2
            registers.rflags = Flags.real(registers.r11, interrupts: virtual.interrupts)
            return deliver(.invalidOpcode, &registers, memory)
        }
        if monitor.far.contains(address) { return .far }
        if code & PageFaultCode.present != 0, protected.contains(address) {
            // The interface's own tables let everything be executed, so in ring 0 this goes on.
            return code & PageFaultCode.fetch != 0 ? .unsupported("executes what is not its code") : .forbidden(address)
        }
        // The guest's handler is at ring 0, and knows of no user mode. The monitor's pages do not exist for it.
        var seen = code & ~PageFaultCode.user
        if address >= MonitorMap.base { seen &= ~PageFaultCode.present }
        return deliver(.pageFault(address, seen), &registers, memory)
    }

    private func isSyscall(_ registers: Registers, _ address: UInt64, _ memory: borrowing GuestMemory) -> Bool {
        guard registers.rip == 0, address == 0 else { return false }
        let code = monitor.code(at: registers.rcx &- 2, memory)
        return code[0] == 0x0f && code[1] == 0x05
    }
}
