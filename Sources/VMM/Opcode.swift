// Instructions that a ring-3 guest cannot execute, recognised by their first bytes: for reports, which then say what to do
// instead.
//
// Not a disassembler: the two dozen that kernels are tempted by (Intel SDM vol. 2, opcode maps). Read next: CrashReport.swift.

/// A tempting instruction.
struct Opcode {
    /// As an assembler writes it.
    let name: String
    /// What a Swiftlet guest does instead; empty when there is nothing to say.
    let instead: String

    /// "hlt: privileged, and a guest runs at ring 3; to idle, make the poll call"
    var advice: String { instead.isEmpty ? name : "\(name): \(instead)" }

    /// Recognises the instruction at the start of `code`; prefixes of repetition, size and REX are skipped.
    init?(_ code: [UInt8]) {
        let bytes = code.drop { [0x66, 0xf2, 0xf3].contains($0) || $0 & 0xf0 == 0x40 }
        guard let first = bytes.first else { return nil }
        let second = bytes.dropFirst().first ?? 0
        let third = bytes.dropFirst(2).first ?? 0
        let found = first == 0x0f ? Self.twoBytes(second, third) : Self.oneByte(first)
        guard let found else { return nil }
        (name, instead) = found
    }

    private static let privileged = "privileged, and a guest runs at ring 3"

    private static func oneByte(_ byte: UInt8) -> (String, String)? {
        switch byte {
        case 0xf4: ("hlt", "\(privileged); to idle, make the poll call")
        case 0xfa, 0xfb: (byte == 0xfa ? "cli" : "sti", "\(privileged); use the call page's interrupt mask word")
        case 0xcd: ("int n", "a guest has no software interrupts; calls are OUTs to port 0x500 + number")
        case 0xf1: ("int1", "vector 1 is the debugger's")
        case 0xcf: ("iretq", "its frame is bad: the selectors are CS 0x33 and SS 0x2b")
        default: nil
        }
    }

    private static func twoBytes(_ second: UInt8, _ third: UInt8) -> (String, String)? {
        switch second {
        case 0x05, 0x34: (second == 0x05 ? "syscall" : "sysenter", "a guest has no ring 0 to enter; use a plain call")
        case 0x0b: ("ud2", "a check in the guest has failed, or the compiler found code that cannot be reached")
        case 0x20, 0x22: ("mov of a control register", "\(privileged); make the commit or the fault address call")
        case 0x21, 0x23: ("mov of a debug register", privileged)
        case 0x30, 0x32: (second == 0x30 ? "wrmsr" : "rdmsr", "\(privileged); for FS and GS use wrfsbase and wrgsbase")
        case 0x06, 0x08, 0x09: ("clts, invd or wbinvd", privileged)
        case 0x00: ("lldt, ltr or their like", "\(privileged); the descriptor tables are the machine's")
        case 0x01: systemGroup(third)
        case 0x33: ("rdpmc", privileged)
        default: nil
        }
    }

    /// 0f 01: the ModRM byte tells which.
    private static func systemGroup(_ modRM: UInt8) -> (String, String)? {
        switch modRM {
        case 0xc1, 0xd9: ("vmcall or vmmcall", "calls are OUTs to port 0x500 + number, on every KVM")
        case 0xd0, 0xd1: ("xgetbv or xsetbv", "XCR0 is in boot info, and set")
        case 0xf8: ("swapgs", "\(privileged); use wrgsbase")
        default:
            switch modRM >> 3 & 7 {
            case 2, 3: ("lgdt or lidt", "\(privileged); for exceptions make the handler call")
            case 7: ("invlpg", "\(privileged); after page-table edits make the commit call")
            default: nil
            }
        }
    }
}
