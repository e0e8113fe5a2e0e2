// One instruction: its line is begun, the guest makes the step, and what it has changed ends the line.
//
// So a lecturer can ask what an instruction will do before it does. What happens outside the guest (a sentence about an exit, what
// it prints) comes between. Read next: Lectern.swift.

import Host
import KVM
import Observe
import VMM
import X86

extension Narrator {
    /// Nil to go on with the next.
    func tellInstruction(_ signals: borrowing StopSignals) -> Turn? {
        watchHandlers()
        guard let before = target.registers else { return .leave }
        let line = line(before)
        let call = line.isPortAccess ? call(before, line) : nil
        say(line.head, signals)
        narration.beganLine()
        if let turn = rest(signals) { return turn }
        count += 1
        if line.isPortAccess { endOpenLine(signals) }
        if let call, !tellsExits { tell("call '\(call.name)' (\(call.number))", signals) }
        return step(line, from: before, signals)
    }

    /// A key while the guest runs may cut a call short, which is then made again.
    private func step(_ line: InstructionLine, from before: RegisterFile, _ signals: borrowing StopSignals) -> Turn? {
        while true {
            let reason = target.resume(.step(0), signals, watching: lectern.keys)
            switch reason {
            case .step, .breakpoint:
                endLine(line, before, signals)
                tellHandler(line, before, reason, signals)
            case .interrupt:
                if let turn = takeKey() { return turn }
                if target.registers?.instructionPointer == before.instructionPointer { continue }
                endLine(line, before, signals)
            default: return told(reason, signals)
            }
            return nil
        }
    }

    private func line(_ registers: RegisterFile) -> InstructionLine {
        let special = registers.special
        let (rip, bits) = (registers.instructionPointer, special.codeBits)
        let address = bits == 64 ? rip : special.cs.base &+ rip
        return InstructionLine(
            count + 1, at: address, symbols.place(address), target.read(address, 15), bits: bits)
    }

    private func endLine(
        _ line: InstructionLine, _ before: RegisterFile, _ signals: borrowing StopSignals
    ) {
        guard let after = target.registers else { return }
        let isAlone = !narration.endsLine()
        say(line.tail(after.changes(since: before, target.table), isAlone: isAlone), signals)
    }

    /// The call that an OUT is about to make.
    private func call(_ registers: RegisterFile, _ line: InstructionLine) -> (number: UInt64, name: String)? {
        let (port, size): (UInt16, UInt8)
        switch line.bytes.last {
        case 0xef? where line.bytes.count == 1: (port, size) = (UInt16(truncatingIfNeeded: registers.general.rdx), 4)
        case let low? where line.bytes.first == 0xe7: (port, size) = (UInt16(low), 4)
        default: return nil
        }
        return target.run.machine.platform.call(port, size: size, count: 1)
    }
}

/// Exceptions and interrupts that the guest handles itself.
extension Narrator {
    /// Where a step is the CPU's own flag handlers get breakpoints; elsewhere it is KVM that steps.
    private func watchHandlers() {
        guard let special = target.registers?.special, special.cr0 & CR0.protectedMode != 0 else { return }
        let table = target.read(special.idt.base, min(Int(special.idt.limit) + 1, 4096))
        let is64Bit = special.efer & EFER.longModeActive != 0
        guard let (new, gone) = entries.update(table, is64Bit: is64Bit), target.hasStubs else { return }
        for address in gone { _ = target.remove(0, address, 1) }
        for address in new where !target.isOurs(address) { _ = target.insert(0, address, 1) }
    }

    /// Whether the instruction has ended in a handler, by which exception: in ring 3 at a breakpoint there, elsewhere with the
    /// instruction's own address on the stack, or with the next one's.
    private func tellHandler(
        _ line: InstructionLine, _ before: RegisterFile, _ reason: StopReason, _ signals: borrowing StopSignals
    ) {
        guard let rip = target.registers?.instructionPointer else { return }
        var found: [Int]?
        if case .breakpoint = reason { found = entries.vectors(at: rip, within: 1) }
        if !target.hasStubs, let frame = target.savedFrame {
            let behind = frame.rip &- before.instructionPointer
            if behind == 0 || behind == line.bytes.count { found = entries.vectors(at: rip, within: 16) }
        }
        guard let vectors = found else { return }
        target.clearSavedTrapFlag()
        let names = vectors.prefix(2).map { Vector.name($0) } + (vectors.count > 2 ? ["..."] : [])
        let place = symbols.place(rip) ?? hex(rip)
        tell("\(names.joined(separator: " or ")): the guest's handler is at \(place)", signals)
    }
}
