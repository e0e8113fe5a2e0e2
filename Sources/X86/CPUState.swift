// The state that a vCPU starts with, as plain values: what a boot protocol decides and KVM then loads.
//
// Read next: PageTables.swift.

/// Initial registers of a 64-bit ring-3 guest. Every register that is not here starts as zero.
public struct CPUState: Equatable, Sendable {
    public var rip: UInt64
    public var rsp: UInt64
    /// The first argument by the System V ABI: the address of boot info.
    public var rdi: UInt64
    /// The PML4.
    public var cr3: UInt64

    public init(rip: UInt64, rsp: UInt64, rdi: UInt64, cr3: UInt64) {
        self.rip = rip
        self.rsp = rsp
        self.rdi = rdi
        self.cr3 = cr3
    }
}

/// The exceptions by vector (Intel SDM vol. 3A, table 6-1).
public enum Vector {
    public static let debug = 1
    public static let breakpoint = 3
    public static let invalidOpcode = 6
    public static let doubleFault = 8
    public static let pageFault = 14

    /// Whether the CPU pushes an error code.
    public static func hasErrorCode(_ vector: Int) -> Bool {
        switch vector {
        case 8, 10, 11, 12, 13, 14, 17, 21, 29, 30: true
        default: false
        }
    }

    /// Name, mnemonic and number, such as "page fault (#PF, vector 14)".
    public static func name(_ vector: Int) -> String {
        let names = [
            0: "divide error (#DE", 1: "debug (#DB", 2: "NMI (NMI", 3: "breakpoint (#BP", 4: "overflow (#OF",
            5: "bound range exceeded (#BR", 6: "invalid opcode (#UD", 7: "device not available (#NM",
            8: "double fault (#DF", 10: "invalid TSS (#TS", 11: "segment not present (#NP",
            12: "stack-segment fault (#SS", 13: "general protection (#GP", 14: "page fault (#PF",
            16: "x87 floating-point error (#MF", 17: "alignment check (#AC", 18: "machine check (#MC",
            19: "SIMD floating-point exception (#XM", 20: "virtualization exception (#VE",
            21: "control protection (#CP",
        ]
        let name = names[vector].map { $0 + ", " } ?? (vector < 32 ? "reserved exception (" : "interrupt (")
        return "\(name)vector \(vector))"
    }
}
