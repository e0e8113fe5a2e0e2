// Where things lie in the test rig's guest-physical memory. The machine's own tables are where X86/AddressMap has them.
//
//   0x00000  real mode's interrupt vectors
//   0x01000  GDT, IDT, TSS, stubs
//   0x40000  code, 64 KiB         (real mode: CS)
//   0x50000  samples, 64 KiB      (DS)
//   0x60000  stack, 64 KiB        (SS)
//   0xa0000  nothing: MMIO        (ES)
//   0x100000 page tables, then memory for whoever measures
//   1 GiB    memory that is itself measured: RigPlan.slots
//
// guests/exits/exits.h has the same numbers. Read next: Rig.swift.

import X86

public enum RigMap {
    public static let code: UInt64 = 0x4_0000
    public static let page: UInt64 = 0x5_0000
    public static let stackTop: UInt64 = 0x6_fff0
    /// No memory here: an access is MMIO, in real mode too.
    public static let mmio: UInt64 = 0xa_0000
    /// Low memory ends here and goes on at 1 MiB, as in a PC.
    public static let hole: Range<UInt64> = 0xa_0000..<0x10_0000
    /// A megabyte of tables maps 250 GiB by 2 MiB leaves.
    public static let tables: Range<UInt64> = 0x10_0000..<0x20_0000
    public static let smallestMemory: UInt64 = 0x20_0000

    /// Where memory lies that is itself measured, and the first free slot.
    public static let tested: UInt64 = 1 << 30
    public static let firstSlot: UInt32 = 2

    // The page: guests/exits/exits.h.
    public static let count = page
    public static let operand = page + 8
    public static let samples = page + 0xc0
    /// Two 64-bit stamps each.
    public static let capacity = (0x1_0000 - 0xc0) / 16
    /// Where the struct of a call lies.
    public static let call = page + 0x10
    /// 32-bit words by which guest and host talk while the guest runs: the guest writes the first, the host the second.
    public static let request = page + 0x40
    public static let reply = page + 0x80

    /// The ports of guests/exits/exits.h.
    public static let port: UInt16 = 0xe9
    public static let done: UInt16 = 0xf4
}
