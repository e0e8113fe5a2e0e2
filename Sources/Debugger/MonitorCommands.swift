// `monitor` commands of a debugger: what no debugger knows of a guest, and its VMM does.
//
// Read next: ../swiftlet/RunOptions+Debugger.swift.

import Backing
import Host
import VMM
import X86

extension Target {
    /// The answer, which ends with a line's end.
    func monitor(_ command: String) -> String {
        let words = command.split(separator: " ").map(String.init)
        switch words.first {
        case "exits": return run.exitText ?? "nothing was counted\n"
        case "map": return run.machine.map.lines.joined(separator: "\n") + "\n"
        case "walk" where words.count == 2: return walk(words[1])
        case "help", nil: return Self.help
        default: return "no such command: \(printable(command))\n" + Self.help
        }
    }

    private static let help = """
        monitor walk ADDRESS   how an address (a number or a register) is translated, and which accesses would fault, and why
        monitor map            memory slots, and what lies in memory
        monitor exits          exits so far, and what they cost
        monitor help           this text

        """

    private func walk(_ text: String) -> String {
        let name = text.hasPrefix("$") ? String(text.dropFirst()) : text
        let register = table.registers.first { $0.name == name && $0.bits <= 64 }
        let value = register.flatMap { register in
            registers.map { $0.value(register).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        }
        guard let address = value ?? (text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)) else {
            return "no such address: \(printable(text)): a number, such as 0x40000, or a register\n"
        }
        let walk = run.machine.platform.walk(address, paging)
        let isUser = registers.map { $0.special.cs.selector & 3 == 3 } ?? true
        let report = WalkReport(
            walk, name: value == nil ? nil : name, run.machine.map, isUser: isUser,
            host: walk.page.flatMap { hostPlace($0.physical) })
        return report.lines.joined(separator: "\n") + "\n"
    }

    /// The host-virtual address, and what the host has there.
    private func hostPlace(_ physical: UInt64) -> String? {
        guard run.machine.map.slot(of: physical) != nil else { return nil }
        let address = UInt64(run.machine.platform.memory.hostBase) + physical
        return "\(hex(address)), \(PageState(at: address).words)"
    }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
