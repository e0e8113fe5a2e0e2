// The state that a kernel for the bare CPU starts with: ring 0, in whichever mode its boot protocol says.
//
// CPUState.swift is the ring-3 guest's, which is always in 64-bit mode. Read next: Boot/BootMethod.swift.

/// Initial registers in ring 0. Interrupts are off; every register that is not here starts as zero.
public struct KernelState: Equatable, Sendable {
    public enum Mode: String, Equatable, Sendable {
        /// Segments are `code << 4` and `data << 4`.
        case real = "16-bit real mode"
        /// Flat segments up to 4 GiB, paging off.
        case protected = "32-bit protected mode"
        /// Flat segments, paging on by the tables at `cr3`.
        case long = "64-bit mode"
    }

    public var mode: Mode
    /// In real mode the offset in the code segment.
    public var rip: UInt64
    public var rsp: UInt64 = 0
    public var rax: UInt64 = 0
    public var rbx: UInt64 = 0
    public var rdx: UInt64 = 0
    public var rsi: UInt64 = 0
    /// The PML4; 0 without paging.
    public var cr3: UInt64 = 0
    /// Selectors of the code segment and of all others; in real mode paragraphs.
    public var code: UInt16
    public var data: UInt16
    /// The global descriptor table and its bytes minus one; 0: the kernel has to make one of its own first.
    public var gdt: UInt64 = 0
    public var gdtLimit: UInt16 = 0

    /// Flat segments have selectors 8 and 16, for which there is no table.
    public init(_ mode: Mode, rip: UInt64, code: UInt16? = nil, data: UInt16? = nil) {
        (self.mode, self.rip) = (mode, rip)
        self.code = code ?? (mode == .real ? 0 : 8)
        self.data = data ?? (mode == .real ? 0 : 16)
    }

    /// The first instruction's address.
    public var entry: UInt64 { mode == .real ? UInt64(code) << 4 + rip : rip }
}
