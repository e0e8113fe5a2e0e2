// What an instruction has changed: "rsp 0x7ff8 -> 0x7ff0", flags by their names.
//
// All registers that a debugger knows, but for RIP, which the next line shows, and x87's notes about its last instruction.
// Read next: HandlerEntries.swift.

import X86

extension RegisterFile {
    /// In the table's order.
    func changes(since before: RegisterFile, _ table: RegisterTable) -> [String] {
        let hasSameVectors = hasVectors(of: before)
        return table.registers.compactMap { register in
            if Self.isLeftOut(register.source) || hasSameVectors && Self.isVector(register.source) { return nil }
            let (old, new) = (before.value(register), value(register))
            if old == new { return nil }
            if case .flags = register.source {
                let (old, new) = (Self.flags(before.general.rflags), Self.flags(general.rflags))
                return old == new ? nil : "\(register.name) [\(old)] -> [\(new)]"
            }
            return "\(register.name) \(Self.hex(old)) -> \(Self.hex(new))"
        }
    }

    private static func isLeftOut(_ source: Register.Source) -> Bool {
        switch source {
        case .instructionPointer: true
        case .x87(let number): number > 2
        default: false
        }
    }

    private static func isVector(_ source: Register.Source) -> Bool {
        switch source {
        case .stack, .x87, .vector, .vectorControl, .vectorHigh: true
        default: false
        }
    }

    /// The lowest byte comes first; without zeros in front.
    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = bytes.reversed().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let rest = digits.drop { $0 == "0" }
        return "0x" + (rest.isEmpty ? "0" : rest)
    }

    /// RFLAGS by bits (Intel SDM vol. 1, figure 3-8). TF and RF are a step's own.
    static func flags(_ value: UInt64) -> String {
        let names: [(bit: UInt64, name: String)] = [
            (0, "CF"), (2, "PF"), (4, "AF"), (6, "ZF"), (7, "SF"), (9, "IF"), (10, "DF"), (11, "OF"), (14, "NT"),
            (17, "VM"), (18, "AC"), (19, "VIF"), (20, "VIP"), (21, "ID"),
        ]
        return names.filter { value >> $0.bit & 1 != 0 }.map(\.name).joined(separator: " ")
    }
}
