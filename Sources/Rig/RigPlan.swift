// What a rig shall be: the CPU's mode, the code, and which parts of a PC the kernel plays.
//
// Read next: RigTables.swift.

public import KVM

/// The mode that the code runs in.
public enum CPUMode: String, CaseIterable, Sendable, Codable {
    /// 64-bit mode, CPL 3: as Swiftlet's guests run.
    case ring3
    /// 64-bit mode, CPL 0.
    case ring0
    /// 16-bit real mode.
    case real
}

/// Interrupt controllers in the kernel.
public enum IRQChip: Sendable {
    case none
    /// Local APICs.
    case split
    /// Local APICs, I/O APIC and PICs.
    case full
}

public struct RigPlan: Sendable {
    public var mode: CPUMode
    /// Position-independent for `ring3` and `ring0`; for `real`, as if at offset 0 of CS.
    public var code: [UInt8]
    /// The code begins as guests/exits/exits.h says, with the offsets of its handlers.
    public var hasHandlers = false
    public var irqchip = IRQChip.split
    /// Whether the local APIC is enabled: its page at 0xfee00000 answers, and its timer takes TSC deadlines.
    public var usesLocalAPIC = false
    /// Bytes, at least 2 MiB.
    public var memorySize = RigMap.smallestMemory
    /// Whether the host may back memory with huge pages.
    public var usesHugePages = true
    /// What is mapped one to one, from 0; at least 4 GiB, so that the local APIC is.
    public var mappedSize: UInt64 = 4 << 30
    /// What of it is mapped by pages of 4 KiB, in whole 2 MiB: all else above the first 2 MiB is by huge ones.
    public var smallPages: Range<UInt64> = 0..<0
    /// More memory, from `RigMap.tested` up, whose owner must outlive the rig. Their indices begin at `RigMap.firstSlot`.
    public var slots: [MemorySlot] = []
    /// Bytes of the vCPU's ring of written pages; 0: none.
    public var dirtyRing = 0
    /// Who protects written pages again; nil: reading the log does.
    public var dirtyLogProtection: DirtyLogProtection?

    public init(_ mode: CPUMode, code: [UInt8]) {
        self.mode = mode
        self.code = code
    }
}
