// What a step in ring 3 leaves in the guest's memory: RFLAGS.TF is a flag that programs save and load, and they should not find it.
//
// PUSHF saves it, and so does the CPU when it enters a handler; loaded again when nobody steps any more it would be an exception
// that the guest has no handler for. Read next: Breakpoints.swift.

import VMM
import X86
import X86

extension Target {
    /// Whether the instruction that is due pushes RFLAGS: 9c, behind an operand size or not.
    var pushesFlags: Bool {
        guard let rip = registers?.instructionPointer else { return false }
        let code = read(rip, 2)
        return code.first == 0x9c || code == [0x66, 0x9c]
    }

    /// Behind a PUSHF.
    func clearPushedTrapFlag() { if let top = registers?.general.rsp { clearTrapFlag(in: top) } }

    /// At a handler's first instruction.
    func clearSavedTrapFlag() { if hasStubs, let frame = savedFrame { clearTrapFlag(in: frame.flags) } }

    /// What an exception has put on the stack, if one has just brought us here: RIP, and where RFLAGS are. Above them may be an
    /// error code (Intel SDM vol. 3A, figures 7-4 and 7-9), and what the handler's first instruction has pushed, which KVM's step
    /// takes along.
    var savedFrame: (rip: UInt64, flags: UInt64)? {
        guard let file = registers else { return nil }
        let (top, selector) = (file.general.rsp, file.special.cs.selector)
        let size = file.special.efer & EFER.longModeActive == 0 ? 4 : 8
        for words in 1...(hasStubs ? 2 : 3) {
            let place = top &+ UInt64(words * size)
            guard read(place, 2) == [UInt8(selector & 0xff), UInt8(selector >> 8)] else { continue }
            let rip = read(place &- UInt64(size), size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
            return (rip, place &+ UInt64(size))
        }
        return nil
    }

    /// Bit 8 of the flags at an address.
    private func clearTrapFlag(in flags: UInt64) {
        guard let byte = read(flags &+ 1, 1).first else { return }
        _ = write([byte & ~1], at: flags &+ 1)
    }
}

extension Crash {
    /// As its report should show it.
    var withoutTrapFlag: Crash {
        var crash = self
        crash.registers.general.rflags &= ~(1 << 8)
        return crash
    }
}
