// GDT, IDT and TSS of the ring-3 machine, as words to be written into memory.
//
// The whole guest runs at CPL 3, so the tables are short: one code and one data segment with DPL 3, a TSS whose I/O
// bitmap allows every port (the VMM decides about ports), and an IDT whose gates lead to ring-3 code.
// Layouts: Intel SDM vol. 3A, chapters 3.4.5, 6.14.1 and 8.7. Read next: ControlRegisters.swift.

/// Segment selectors, RPL 3 included where it applies.
public enum Selector {
    public static let userData: UInt16 = 0x2b
    public static let userCode: UInt16 = 0x33
    public static let tss: UInt16 = 0x40
}

/// The global descriptor table.
public enum GDT {
    /// Bytes minus one.
    public static let limit: UInt16 = 0x4f

    /// The table by index. The accessed bits (type bit 0) are set, so the CPU never writes into the read-only page.
    public static func entries(tss: UInt64, tssLimit: UInt32) -> [10 of UInt64] {
        var table: [10 of UInt64] = InlineArray(repeating: 0)
        table[Int(Selector.userData >> 3)] = 0x00cf_f300_0000_ffff  // data, read/write, DPL 3
        table[Int(Selector.userCode >> 3)] = 0x00af_fb00_0000_ffff  // code, 64-bit (L), execute/read, DPL 3
        let base = tss & 0xffff_ffff
        table[Int(Selector.tss >> 3)] =
            UInt64(tssLimit & 0xffff) | (base & 0xff_ffff) << 16 | 0x8b << 40  // busy 64-bit TSS
            | UInt64(tssLimit >> 16 & 0xf) << 48 | (base >> 24) << 56
        table[Int(Selector.tss >> 3) + 1] = tss >> 32
        return table
    }
}

/// The interrupt descriptor table: 256 gates of two words.
public enum IDT {
    /// Bytes minus one.
    public static let limit: UInt16 = 0xfff

    /// A gate to ring-3 code at `handler`.
    ///
    /// A trap gate (type 15), not an interrupt gate: IRET at CPL 3 could never set IF again. DPL 0, but 3 for #BP and
    /// #OF, so that `int n` cannot fake an exception. `stack` is an IST index, 0 for the current stack.
    public static func gate(vector: Int, handler: UInt64, stack: UInt64) -> (low: UInt64, high: UInt64) {
        let privilege: UInt64 = vector == 3 || vector == 4 ? 3 : 0
        let low =
            handler & 0xffff | UInt64(Selector.userCode) << 16 | stack << 32
            | (0x8f | privilege << 5) << 40 | (handler >> 16 & 0xffff) << 48
        return (low, handler >> 32)
    }
}

/// The 64-bit task state segment with its I/O permission bitmap.
public enum TSS {
    package static let bitmapOffset: UInt64 = 104
    /// 65,536 bits and the byte of ones that the CPU may read past the last of them.
    public static let limit: UInt32 = 104 + 8192

    /// The words that are not zero: offset and value. IST 1 is the report stack.
    public static func words(reportStack: UInt64) -> [3 of (offset: UInt64, value: UInt64)] {
        [
            (36, reportStack),
            (96, bitmapOffset << 48),  // bytes 102-103: where the bitmap starts
            (bitmapOffset + 8192, 0xff),
        ]
    }
}

/// The page of stubs: code that turns an exception nobody handles into an exit with a full frame.
///
/// Stub n is `out %eax, $n`, four bytes wide at `stubs + 16 * n`: the port is the vector, and nothing in it can fault.
/// The VMM knows a stub's exit from a guest's own OUT by the instruction pointer.
public enum Stub {
    public static let size: UInt64 = 16

    public static func address(vector: Int) -> UInt64 { AddressMap.stubs + UInt64(vector) * size }

    /// OUT imm8, EAX (e7 ib), then a jump back to it.
    public static func code(vector: Int) -> UInt64 { 0xe7 | UInt64(vector) << 8 | 0xfceb << 16 }

    /// Whether an instruction pointer lies in the page (an exit may report the instruction or the one behind it).
    @inlinable
    public static func contains(_ rip: UInt64) -> Bool { rip &- AddressMap.stubs < AddressMap.pageSize }
}
