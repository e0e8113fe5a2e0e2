// Every guest-physical address that has a meaning, once.
//
//   0x00000  nothing: a null pointer faults
//   0x01000  GDT, IDT, TSS with I/O bitmap, stubs       machine pages, one read-only slot
//   0x10000  boot info, memory map, command line        here RAM starts
//   0x20000  vCPU area: a call page and a report stack each
//   0x40000  where guests are linked by default; behind the image come stack, page tables, module, free memory
//
// Read next: Descriptors.swift.

/// The addresses of the ring-3 machine.
public enum AddressMap {
    public static let pageSize: UInt64 = 0x1000
    public static let hugePageSize: UInt64 = 0x20_0000

    /// The machine's own pages, which the guest can read or execute but never write.
    public static let machine: Range<UInt64> = 0x1000..<0x7000
    public static let gdt: UInt64 = 0x1000
    public static let idt: UInt64 = 0x2000
    /// 104 bytes of TSS, then 8 KiB of I/O bitmap and the byte of ones that must follow it.
    public static let tss: UInt64 = 0x3000
    public static let stubs: UInt64 = 0x6000

    /// Where guest memory begins.
    public static let memoryStart: UInt64 = 0x1_0000
    public static let bootInfo: UInt64 = 0x1_0000
    public static let memoryMap: UInt64 = 0x1_0800
    public static let deviceTable: UInt64 = 0x1_0900
    public static let commandLine: UInt64 = 0x1_1000
    /// Bytes, the terminating NUL included.
    public static let commandLineCapacity: UInt64 = 0xf000

    /// Two pages for each vCPU: its call page, then the stack that its unhandled vectors are reported on.
    public static let vcpuArea: Range<UInt64> = 0x2_0000..<0x4_0000
    public static func callPage(vcpu: Int) -> UInt64 { vcpuArea.lowerBound + UInt64(vcpu) * 0x2000 }
    public static func reportStackTop(vcpu: Int) -> UInt64 { callPage(vcpu: vcpu) + 0x2000 }

    /// Images may not be loaded below this address.
    public static let imageStart: UInt64 = 0x4_0000

    /// Left without memory for interrupt controllers and devices: 3 GiB to 4 GiB.
    public static let hole: Range<UInt64> = 0xc000_0000..<0x1_0000_0000

    /// Where a local APIC would be. A ring-3 guest's is switched off: mapping this address leads to nothing.
    public static let localAPIC: UInt64 = 0xfee0_0000

    /// The ranges of memory for a machine of `size` bytes: what does not fit below the hole goes to 4 GiB and up.
    public static func memory(size: UInt64) -> (low: Range<UInt64>, high: Range<UInt64>) {
        if size <= hole.lowerBound { return (memoryStart..<max(size, memoryStart), 0..<0) }
        let rest = size - hole.lowerBound
        return (memoryStart..<hole.lowerBound, hole.upperBound..<hole.upperBound + rest)
    }
}
