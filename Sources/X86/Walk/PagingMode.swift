// How a CPU translates addresses: which of its five ways is on, and what each level of tables looks like.
//
// The run loop and the reports need one walk, of four levels (../PageTables.swift); this is all of them, for whoever wants to
// see. Intel SDM vol. 3A, chapter 4: table 4-1 (modes), 4.3 to 4.5 (levels), tables 4-2 to 4-20 (bits).
// Read next: ExplainedWalk.swift.

/// The registers that decide about translation.
public struct PagingState: Equatable, Sendable {
    public var cr0: UInt64
    public var cr3: UInt64
    public var cr4: UInt64
    public var efer: UInt64
    /// Bits of a physical address that the CPU has (CPUID 0x80000008, EAX 7-0); above them an entry's bits are reserved.
    public var physicalBits: UInt64

    public init(cr0: UInt64, cr3: UInt64, cr4: UInt64, efer: UInt64, physicalBits: UInt64 = 52) {
        (self.cr0, self.cr3, self.cr4, self.efer) = (cr0, cr3, cr4, efer)
        self.physicalBits = min(max(physicalBits, 32), 52)
    }

    /// A ring-3 guest's, with its tables at `root`.
    public static func ring3(root: UInt64) -> PagingState {
        PagingState(cr0: CR0.ring3, cr3: root, cr4: CR4.ring3, efer: EFER.ring3)
    }

    public var mode: PagingMode {
        if cr0 & CR0.paging == 0 { return .none }
        if efer & EFER.longModeActive != 0 { return cr4 & CR4.fiveLevels != 0 ? .fiveLevel : .fourLevel }
        return cr4 & CR4.physicalAddressExtension != 0 ? .pae : .bits32
    }

    /// Whether bit 63 of an entry means something.
    var hasNoExecute: Bool { efer & EFER.noExecute != 0 && mode != .bits32 }

    /// The table of the first level.
    var root: UInt64 {
        switch mode {
        case .none, .bits32: cr3 & 0xffff_f000
        case .pae: cr3 & 0xffff_ffe0
        case .fourLevel, .fiveLevel: cr3 & addressMask
        }
    }
}

extension CR4 {
    public static let largePages: UInt64 = 1 << 4
    public static let fiveLevels: UInt64 = 1 << 12
    /// Supervisor code may not execute, and its data accesses may not use, what user code can reach.
    public static let supervisorExecution: UInt64 = 1 << 20
    public static let supervisorAccess: UInt64 = 1 << 21
}

public enum PagingMode: String, Sendable {
    case none = "no paging"
    case bits32 = "32-bit paging"
    case pae = "PAE paging"
    case fourLevel = "4-level paging"
    case fiveLevel = "5-level paging"

    /// From the table that CR3 names down.
    public var levels: [PagingLevel] {
        switch self {
        case .none: []
        case .bits32:
            [PagingLevel(.directory, shift: 22, bits: 10, canMap: true), PagingLevel(.table, shift: 12, bits: 10)]
        case .pae:
            [
                PagingLevel(.directoryPointers, shift: 30, bits: 2),
                PagingLevel(.directory, shift: 21, bits: 9, canMap: true), PagingLevel(.table, shift: 12, bits: 9),
            ]
        case .fourLevel: Self.long
        case .fiveLevel: [PagingLevel(.map5, shift: 48, bits: 9)] + Self.long
        }
    }

    private static let long = [
        PagingLevel(.map4, shift: 39, bits: 9),
        PagingLevel(.directoryPointers, shift: 30, bits: 9, canMap: true),
        PagingLevel(.directory, shift: 21, bits: 9, canMap: true), PagingLevel(.table, shift: 12, bits: 9),
    ]

    /// Bits of an address that are translated; those above must equal the highest in the 64-bit modes, and do not exist in
    /// the others.
    public var addressBits: UInt64 {
        switch self {
        case .none, .bits32, .pae: 32
        case .fourLevel: 48
        case .fiveLevel: 57
        }
    }

    var entrySize: UInt64 { self == .bits32 ? 4 : 8 }
}

/// One level of tables.
public struct PagingLevel: Equatable, Sendable {
    public enum Kind: String, Sendable {
        case map5 = "PML5"
        case map4 = "PML4"
        case directoryPointers = "PDPT"
        case directory = "PD"
        case table = "PT"
    }

    public let kind: Kind
    /// The lowest bit of the address that is part of the index, and how many are.
    public let shift: UInt64
    public let bits: UInt64
    /// Whether an entry with bit 7 set maps a page itself.
    let canMap: Bool

    init(_ kind: Kind, shift: UInt64, bits: UInt64, canMap: Bool = false) {
        (self.kind, self.shift, self.bits, self.canMap) = (kind, shift, bits, canMap)
    }

    /// As the manuals call an entry: "PML4E", "PDPTE", "PDE", "PTE".
    public var entryName: String { kind.rawValue + "E" }

    /// Bytes that an entry covers.
    public var span: UInt64 { 1 << shift }

    public func index(_ address: UInt64) -> UInt64 { address >> shift & (1 << bits - 1) }
}
