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
        if line.isPortAccess, narration.endsLine() { say("\n", signals) }
        if let call, !tellsExits { say(InstructionLine.event("call '\(call.name)' (\(call.number))"), signals) }
        return step(from: before, signals)
    }

    /// A key while the guest runs may cut a call short, which is then made again.
    private func step(from before: RegisterFile, _ signals: borrowing StopSignals) -> Turn? {
        while true {
            let reason = target.resume(.step(0), signals, watching: lectern.keys)
            switch reason {
            case .step: endLine(before, signals)
            case .breakpoint:
                endLine(before, signals)
                enterHandler(signals)
            case .interrupt:
                if let turn = takeKey() { return turn }
                if target.registers?.instructionPointer == before.instructionPointer { continue }
                endLine(before, signals)
            default:
                if narration.endsLine() { say("\n", signals) }
                return told(reason, signals)
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

    private func endLine(_ before: RegisterFile, _ signals: borrowing StopSignals) {
        guard let after = target.registers else { return }
        let isAlone = !narration.endsLine()
        say(InstructionLine.tail(after.changes(since: before, target.table), isAlone: isAlone), signals)
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
    /// Where a step is the CPU's own flag handlers get breakpoints; elsewhere KVM steps into them.
    private func watchHandlers() {
        guard target.hasStubs, let special = target.registers?.special else { return }
        let table = target.read(special.idt.base, Int(special.idt.limit) + 1)
        guard let (new, gone) = entries.update(table, is64Bit: true) else { return }
        for address in gone { _ = target.remove(0, address, 1) }
        for address in new where !target.isOurs(address) { _ = target.insert(0, address, 1) }
    }

    private func enterHandler(_ signals: borrowing StopSignals) {
        guard let rip = target.registers?.instructionPointer, let vectors = entries.vectors[rip] else { return }
        target.clearSavedTrapFlag()
        let names = vectors.prefix(2).map { Vector.fullName($0) } + (vectors.count > 2 ? ["..."] : [])
        let what = names.joined(separator: " or ")
        say(InstructionLine.event("\(what): the guest's handler is at \(symbols.place(rip) ?? hex(rip))"), signals)
    }
}
