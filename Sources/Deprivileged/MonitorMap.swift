// Where the monitor lies: pages of ours in a slot of their own, far above the guest's memory.
//
//   page 0      GDT (U=0)         what the CPU needs to run ring-3 code and to take an exception
//   page 1      IDT (U=0)
//   pages 2-4   TSS with I/O bitmap (U=0)
//   page 5      stubs (U=1, read and execute): each turns an exception into an exit; and the code that spares some exits
//   page 6      the log from its start, the stack that exceptions are pushed on at its end (U=1, no execute)
//   page 7 up   page tables, mapped nowhere
//
// Virtual and physical addresses are the same. Read next: Monitor.swift.

import X86

package enum MonitorMap {
    /// 256 GiB: above any memory that such an image has, and inside the 39 bits of a physical address that every CPU has.
    package static let base: UInt64 = 0x40_0000_0000

    static let gdt: UInt64 = base
    static let idt: UInt64 = base + 0x1000
    static let tss: UInt64 = base + 0x2000
    static let stubs: UInt64 = base + 0x5000
    static let stack: UInt64 = base + 0x6000
    static let tables: UInt64 = base + 0x7000

    /// Three levels of tables for each half, 4 level-2 tables for 4 GiB, and a level-1 table for each 2 MiB that is not of
    /// one kind: 16 segments have 32 ends.
    static let end: UInt64 = tables + 64 * AddressMap.pageSize
    package static let size: UInt64 = end - base

    static let stackTop: UInt64 = stack + AddressMap.pageSize

    /// The vectors that a CPU has exceptions for. The other gates are absent: `int n` of them is a fault of its own.
    package static let vectors = 32

    /// hvt's PUTS; bits 0 to 2 of a port are a bit's number, so its bit lies in an aligned word of the TSS.
    package static let putsPort: UInt16 = 0x502

    static func stub(_ vector: Int) -> UInt64 { stubs + UInt64(vector) * Stub.size }

    /// Whether an exit's instruction pointer is a stub's (the OUT, or the instruction behind it).
    @inline(__always)
    package static func isStub(_ rip: UInt64) -> Bool { rip &- stubs < UInt64(vectors) &* Stub.size }

    /// Whether it is code of ours: the guest is between two instructions of its own.
    package static func isOurs(_ rip: UInt64) -> Bool { rip &- stubs < AddressMap.pageSize }
}
