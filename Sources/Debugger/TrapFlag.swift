// What a step in ring 3 leaves in the guest's memory: RFLAGS.TF is a flag that programs save and load, and they should not find it.
//
// PUSHF saves it, and so does the CPU when it enters a handler; loaded again when nobody steps any more it would be an exception
// that the guest has no handler for. Read next: Breakpoints.swift.

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

    /// At a handler's first instruction: RIP, CS and RFLAGS lie on its stack, above an error code if there is one
    /// (Intel SDM vol. 3A, figure 7-9).
    func clearSavedTrapFlag() {
        guard let file = registers else { return }
        let (top, selector) = (file.general.rsp, file.special.cs.selector)
        let isSelector = [8, 16].first { read(top &+ $0, 2) == [UInt8(selector & 0xff), UInt8(selector >> 8)] }
        if let place = isSelector { clearTrapFlag(in: top &+ UInt64(place) &+ 8) }
    }

    /// Bit 8 of the flags at an address.
    private func clearTrapFlag(in flags: UInt64) {
        guard let byte = read(flags &+ 1, 1).first else { return }
        _ = write([byte & ~1], at: flags &+ 1)
    }
}
