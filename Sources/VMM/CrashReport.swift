// A crash in words: what happened, where, and what it most likely means. Never a bare number.
//
// First line for people and scripts; then RIP with its symbol, registers, and the bytes at RIP. Read next: Crash.swift.

import Boot
import KVM
import X86

extension Crash {
    /// "page fault (#PF, vector 14): write to 0x40000, which is mapped read-only"
    func headline(_ layout: Layout) -> String {
        switch cause {
        case .exception(let vector):
            return Vector.name(vector) + (explanation(vector, layout).map { ": \($0)" } ?? "")
        case .forgedException(let vector):
            return "jump into the machine's stub for vector \(vector): no exception happened"
        case .tripleFault:
            return "triple fault: an exception could not be delivered, nor the double fault that followed "
                + "(there is no IDT, or page tables or stack are wrecked)"
        case .port(let port, let size, let written):
            let access = written.map { "write of \(hex(UInt64($0))) to" } ?? "read of"
            return "\(access) port \(hex(UInt64(port))), \(size) byte\(size == 1 ? "" : "s"): nobody owns this port"
        case .memory(let address, let size, let written): return memoryHeadline(address, size, written)
        case .translationFault: return "host/guest translation fault: a write to code or constants"
        case .needsRingZero(let what): return "it \(what), which a guest in ring 3 cannot: try --ring 0"
        case .misuse(let what): return "misused call: \(what)"
        case .emulation(let suberror): return emulationHeadline(suberror)
        case .invalidState(let reason): return "the CPU refused the guest's state (reason \(hex(reason)))"
        case .noFirmware(let vector):
            return "interrupt \(hex(UInt64(vector))) in real mode, and there is no BIOS to take it: set its vector, "
                + "or print to the serial port at 0x3f8"
        case .declared(let what): return what
        case .unexpectedExit(let exit): return "unexpected exit: \(exit)"
        }
    }

    /// The bytes at RIP, as a disassembler shows them.
    var codeText: String {
        if code.isEmpty { return "not mapped" }
        return bytesText(code.count)
    }

    func bytesText(_ count: Int) -> String {
        code.prefix(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }

    private func memoryHeadline(_ address: UInt64, _ size: UInt32, _ written: UInt64?) -> String {
        let access = written == nil ? "read" : "write"
        if AddressMap.machine.contains(address) {
            return "\(access) of guest-physical \(hex(address)): the machine's own tables are read-only"
        }
        return "\(access) of \(size) byte\(size == 1 ? "" : "s") at guest-physical \(hex(address)): no memory there"
    }

    private func explanation(_ vector: Int, _ layout: Layout) -> String? {
        switch vector {
        case 0: "division by zero, or a quotient too large"
        case 6: Opcode(code)?.advice ?? "an instruction that this CPU does not have, or not at ring 3"
        case Vector.doubleFault:
            "an exception while delivering one; often the stack pointer is bad"
                + (stackHint(registers.general.rsp, layout) ?? stackHint(registers.cr2, layout) ?? "")
        case 13: Opcode(code)?.advice ?? "a privileged instruction, a non-canonical address, or a bad selector"
        case Vector.pageFault: errorCode.map { pageFault($0, layout) }
        default: nil
        }
    }

    /// The error code in words (Intel SDM vol. 3A, figure 4-12).
    private func pageFault(_ code: UInt64, _ layout: Layout) -> String {
        let address = registers.cr2
        let isFetch = code & 16 != 0
        let isWrite = code & 2 != 0
        let access = isFetch ? "execution of" : isWrite ? "write to" : "read of"
        let why: String
        if code & 8 != 0 {
            why = "whose page-table entry has reserved bits set"
        } else if code & 1 == 0 {
            why = "which is not mapped"
        } else {
            let protection = isFetch ? "mapped no-execute" : isWrite ? "mapped read-only" : "the machine's"
            why = "which is \(protection)"
        }
        let nearZero = address < AddressMap.pageSize ? " (a null pointer)" : ""
        let machine = AddressMap.machine.contains(address) ? " (the machine's own tables)" : ""
        return "\(access) \(hex(address)), \(why)\(nearZero)\(machine)\(stackHint(address, layout) ?? "")"
    }

    private func stackHint(_ address: UInt64, _ layout: Layout) -> String? {
        let guardPage = layout.stack.lowerBound - AddressMap.pageSize..<layout.stack.lowerBound
        return guardPage.contains(address) ? " (stack overflow: the guard page under the stack)" : nil
    }
}

extension Machine {
    /// The whole report, a line each. `--quiet` keeps the first.
    func report(_ crash: Crash) -> String {
        var lines = ["guest crashed: \(crash.headline(guest.layout))"]
        if configuration.quiet { return lines[0] }
        if crash.registersAreLost {
            lines.append("  registers: lost, this host's KVM resets the CPU at a triple fault\(which(crash))")
            return lines.joined(separator: "\n")
        }
        let registers = crash.registers
        lines.append("  rip \(padded(registers.rip))  \(place(registers.codeBase &+ registers.rip))\(which(crash))")
        if let code = crash.errorCode { lines.append("  error code \(hex(code))") }
        lines += crash.emulationAdvice + registerLines(registers)
        lines.append("  code at rip: \(crash.codeText)\(crash.instructionText)")
        return lines.joined(separator: "\n")
    }

    /// "main+0x13 (hello.elf)"
    private func place(_ address: UInt64) -> String {
        if let kernel = platform.kernel { return kernel.place(address) }
        if Stub.contains(address) { return "in the machine's stub page" }
        guard guest.layout.image.contains(address) else { return "outside the image" }
        guard let symbol = symbol(at: address &- guest.bias) else { return "no symbol there" }
        return guestText(Array(symbol.description.utf8))
    }

    private func symbol(at address: UInt64) -> SymbolPlace? { symbol(at: address, in: source) }

    /// The image of a restored machine is opened only now, and used only if it is still the one.
    private func symbol(at address: UInt64, in source: borrowing ImageFile?) -> SymbolPlace? {
        switch source {
        case .some(let source): return source.image.symbol(at: address)
        case nil: break
        }
        do throws(MachineError) {
            let file = try ImageFile(configuration.image)
            return file.stamp == origin.stamp ? file.image.symbol(at: address) : nil
        } catch { return nil }
    }

    private func registerLines(_ registers: GuestRegisters) -> [String] {
        let regs = registers.general
        let rows: [[(String, UInt64)]] = [
            [("rax", regs.rax), ("rbx", regs.rbx), ("rcx", regs.rcx), ("rdx", regs.rdx)],
            [("rsi", regs.rsi), ("rdi", regs.rdi), ("rbp", regs.rbp), ("rsp", regs.rsp)],
            [("r8 ", regs.r8), ("r9 ", regs.r9), ("r10", regs.r10), ("r11", regs.r11)],
            [("r12", regs.r12), ("r13", regs.r13), ("r14", regs.r14), ("r15", regs.r15)],
            [("cr2", registers.cr2), ("cr3", registers.cr3), ("rfl", regs.rflags), ("fsb", registers.fsBase)],
        ]
        return rows.map { row in "  " + row.map { "\($0.0) \(padded($0.1))" }.joined(separator: "  ") }
    }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

private func padded(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
}
