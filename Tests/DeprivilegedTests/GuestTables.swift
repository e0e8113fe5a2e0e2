// An invented guest with descriptor tables: GDT, TSS with one IST stack, and a handler for every exception.
//
// Read next: DeliveryTests.swift.

import GuestMemory
import X86

@testable @_spi(InventedTraps) import Deprivileged

enum GuestTables {
    static let gdt = InventedTraps.data.lowerBound + 0x1000
    static let tss = InventedTraps.data.lowerBound + 0x2000
    static let idt = InventedTraps.data.lowerBound + 0x3000
    static let stack = InventedTraps.data.lowerBound + 0x9008  // not a multiple of 16: delivery aligns it

    /// Where the handler of a vector lies.
    static func handler(_ vector: Int) -> UInt64 { InventedTraps.code + 0x1000 + UInt64(vector) * 16 }

    static func traps() throws -> InventedTraps {
        var traps = try InventedTraps()
        let entries: [UInt64] = [
            0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff,  // 8: code, 0x10: data
            0x0000_8900_0000_0067 | (tss & 0xff_ffff) << 16 | (tss >> 24 & 0xff) << 56, 0,  // 0x18: TSS
            0x12cf_9334_5678_ffff, 0x00af_9b00_0000_ffff,  // 0x28: data with a base, 0x30: code
            0x00cf_9b00_0000_ffff, 0x00af_fb00_0000_ffff,  // 0x38: 32-bit code, 0x40: code of ring 3
        ]
        for (index, entry) in entries.enumerated() {
            traps.memory.write(entry, at: GuestAddress(gdt + UInt64(index) * 8))
        }
        for vector in 0..<32 { setGate(vector, in: traps) }
        traps.memory.write(stack, at: GuestAddress(tss + 36))
        traps.cpu.virtual.gdt = TableAddress(base: gdt, limit: UInt16(entries.count * 8 - 1))
        traps.cpu.virtual.idt = TableAddress(base: idt, limit: 0xfff)
        traps.cpu.virtual.task = TaskRegister(selector: 0x18, base: tss, limit: 0x67)
        return traps
    }

    /// An interrupt gate to the vector's handler on IST 1.
    static func setGate(
        _ vector: Int, type: UInt64 = 0x8e, selector: UInt64 = 8, stack: UInt64 = 1, handler: UInt64? = nil,
        in traps: borrowing InventedTraps
    ) {
        let address = handler ?? Self.handler(vector)
        let low = address & 0xffff | selector << 16 | stack << 32 | type << 40 | (address >> 16 & 0xffff) << 48
        traps.memory.write(low, at: GuestAddress(idt + UInt64(vector) * 16))
        traps.memory.write(address >> 32, at: GuestAddress(idt + UInt64(vector) * 16 + 8))
    }
}

extension InventedTraps {
    /// The vector that has just been delivered on the IST stack with that error code; nil when none has.
    func handled(code: UInt64?) -> Int? {
        let top = GuestTables.stack & ~0xf
        let vector = Int(truncatingIfNeeded: registers.rip &- GuestTables.handler(0)) / 16
        guard (0..<256).contains(vector), registers.rip == GuestTables.handler(vector) else { return nil }
        guard let code else { return registers.rsp == top - 40 ? vector : nil }
        return registers.rsp == top - 48 && memory.read(GuestAddress(top - 48)) == code ? vector : nil
    }
}
