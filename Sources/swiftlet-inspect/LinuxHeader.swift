// The setup header of a Linux bzImage: boot protocol, version, and what it can be entered by.
//
// Offsets: Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header". Read next: MemoryPlan.swift.

struct LinuxHeader: Encodable, Equatable, Sendable {
    /// Such as "2.15".
    var protocolVersion: String
    /// As `uname` has it and who built it; empty when the header names none.
    var kernelVersion: String
    /// Entered in 64-bit mode at offset 0x200 of the kernel proper (XLF_KERNEL_64).
    var longModeEntry: Bool
    var relocatable: Bool
    /// Bytes of memory that it needs where it is loaded.
    var initSize: UInt32

    /// Nil when the head is not a bzImage's.
    init?(_ head: [UInt8]) {
        func number(_ offset: Int, _ size: Int) -> UInt32 {
            guard offset + size <= head.count else { return 0 }
            return (0..<size).reduce(0) { $0 | UInt32(head[offset + $1]) << UInt32(8 * $1) }
        }
        guard head.count > 0x206, head[0x202..<0x206].elementsEqual("HdrS".utf8) else { return nil }
        let version = number(0x206, 2)
        protocolVersion = "\(version >> 8).\(version & 0xff)"
        let text = Int(number(0x20e, 2)) + 0x200
        let hasText = number(0x20e, 2) != 0 && text < head.count
        kernelVersion = hasText ? String(decoding: head[text...].prefix { $0 != 0 }.prefix(200), as: UTF8.self) : ""
        relocatable = version >= 0x205 && number(0x234, 1) != 0
        longModeEntry = version >= 0x20c && number(0x236, 2) & 1 != 0
        initSize = version >= 0x20a ? number(0x260, 4) : 0
    }
}
