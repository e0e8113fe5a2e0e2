// The monitor's pages: page tables that open the guest's memory to ring 3, and what the CPU needs for exceptions.
//
// A stub is one OUT and cannot fault; exceptions arrive on a stack of the monitor's own (IST 1), so a guest's bad stack
// does no harm and its red zone stays whole. Written before the guest starts; later the CPU writes here (accessed and dirty
// bits, frames), and the guest into the stack page, which is open to it; the VMM into that page's log, and once, when somebody
// reaches for far memory, into tables and shortcuts.
// Read next: MonitorLog.swift.

import CDeprivileged
import GuestMemory
import Host
import KVM
import X86

package enum MonitorError: Error, Equatable, Sendable {
    case memory(GuestMemoryError)
    /// The image is in more pieces than there are page tables for.
    case tooManyPieces
}

package struct Monitor: ~Copyable {
    /// Offset 0 is `MonitorMap.base`.
    let pages: GuestMemory
    fileprivate(set) var hasShortcuts = false
    /// Mapped, but not present yet: in pages of 2 MiB.
    package fileprivate(set) var far: Range<UInt64> = 0..<0

    fileprivate init(pages: consuming GuestMemory) {
        self.pages = pages
        writeDescriptors()
    }

    /// The PML4.
    package var root: UInt64 { MonitorMap.tables }

    /// The slot that shows these pages to the guest's CPU.
    package func slot(index: UInt32) -> MemorySlot {
        MemorySlot(index: index, guestAddress: MonitorMap.base, size: MonitorMap.size, hostAddress: pages.hostBase)
    }

    private func writeDescriptors() {
        var entries = GDT.entries(tss: MonitorMap.tss, tssLimit: TSS.limit)
        // Most kernels' data selector is 0x10: with a descriptor that ring 3 may load there, MOV to DS and ES needs no help.
        entries[2] = entries[Int(Selector.userData >> 3)]
        for index in entries.indices { storeEntry(entries[index], MonitorMap.gdt + UInt64(index) * 8) }
        for vector in 0..<MonitorMap.vectors {
            let gate = IDT.gate(vector: vector, handler: MonitorMap.stub(vector), stack: 1)
            storeEntry(gate.low, MonitorMap.idt + UInt64(vector) * 16)
            storeEntry(gate.high, MonitorMap.idt + UInt64(vector) * 16 + 8)
            storeEntry(Stub.code(vector: vector), MonitorMap.stub(vector))
        }
        let words = TSS.words(reportStack: MonitorMap.stackTop)
        for index in words.indices { storeEntry(words[index].value, MonitorMap.tss + words[index].offset) }
    }

    /// Has some traps handled in the guest: docs/deprivileged.md, "without an exit". Between `memory`'s ends all is mapped.
    fileprivate mutating func addShortcuts(_ memory: Range<UInt64>) {
        hasShortcuts = true
        let code = Self.shortcuts
        var next: UInt32 = 0
        while code + UInt64(next) * 8 < MonitorMap.stack {
            storeEntry(cdeprivileged_word(next), code + UInt64(next) * 8)
            next += 1
        }
        storeEntry(memory.lowerBound, code + UInt64(CDEPRIVILEGED_MEMORY_START) * 8)
        storeEntry(memory.upperBound, code + UInt64(CDEPRIVILEGED_MEMORY_END) * 8)
        storeEntry(MonitorMap.stack, code + UInt64(CDEPRIVILEGED_LOG) * 8)
        tellShortcuts(far)
        storeEntry(Processor.kernelEnablesFSGSBASE() ? 1 : 0, code + UInt64(CDEPRIVILEGED_WRFSBASE) * 8)
        // JMP rel32 (e9), and what the stub was.
        let stub = MonitorMap.stub(Vector.generalProtection)
        let entry = code + UInt64(CDEPRIVILEGED_ENTRY) * 8
        storeEntry(0xe9 | (entry - stub - 5) << 8, stub)
        storeEntry(Stub.code(vector: Vector.generalProtection), stub + 8)
        // A 4-byte OUT looks at four bits: PUTS is denied, and with it the one call below it.
        storeEntry(
            1 << UInt64(MonitorMap.putsPort & 7), MonitorMap.tss + TSS.bitmapOffset + UInt64(MonitorMap.putsPort >> 3))
    }

    private static var shortcuts: UInt64 { MonitorMap.stubs + UInt64(CDEPRIVILEGED_OFFSET) }

    /// Where they may not read; 16 bytes in front of it count as well, for the longest of their reads.
    private func tellShortcuts(_ far: Range<UInt64>) {
        let start = far.isEmpty ? 0 : far.lowerBound - 16
        storeEntry(start, Self.shortcuts + UInt64(CDEPRIVILEGED_FAR_START) * 8)
        storeEntry(far.isEmpty ? 0 : far.upperBound, Self.shortcuts + UInt64(CDEPRIVILEGED_FAR_END) * 8)
    }

    /// From now on all is present. No TLB has to hear of it: what is not present is in none (Intel SDM vol. 3A, 4.10.2.3).
    package mutating func showFar() {
        for page in stride(from: far.lowerBound, to: far.upperBound, by: Int(AddressMap.hugePageSize)) {
            var table = root
            for level in [4, 3] {
                table = (loadEntry(table + PageWalk.index(page, level: level) * 8) ?? 0) & addressMask
            }
            let entry = table + PageWalk.index(page, level: 2) * 8
            storeEntry((loadEntry(entry) ?? 0) | PageFlags.present.rawValue, entry)
        }
        far = 0..<0
        if hasShortcuts { tellShortcuts(far) }
    }

    /// A word of the stack page that the CPU or the guest wrote.
    func stackWord(_ address: UInt64) -> UInt64 { loadEntry(address) ?? 0 }
}

/// Makes a monitor: `map` for each stretch of the guest's memory, then `finish`. Not a sequence of mappings: a generic
/// function of another module costs the first start 0.1 ms.
package struct MonitorBuilder: ~Copyable {
    private var monitor: Monitor
    private var builder = PageTableBuilder(tables: MonitorMap.tables..<MonitorMap.end)
    private var fits = true

    package init() throws(MonitorError) {
        monitor = Monitor(pages: try Self.reserve())
        map(MonitorMap.gdt..<MonitorMap.stubs, .supervisor)
        map(MonitorMap.stubs..<MonitorMap.stack, .code)
        map(MonitorMap.stack..<MonitorMap.tables, .data)
    }

    private static func reserve() throws(MonitorError) -> GuestMemory {
        do throws(GuestMemoryError) { return try GuestMemory(low: 0..<MonitorMap.size) } catch { throw .memory(error) }
    }

    /// Virtual and physical addresses are the same. In pages of 2 MiB where the range is aligned to them.
    package mutating func map(_ range: Range<UInt64>, _ flags: PageFlags) {
        fits = builder.mapIdentity(range, flags, huge: true, in: monitor) && fits
    }

    /// What is not to be present before somebody reaches for it: one range, of pages of 2 MiB.
    package mutating func mapFar(_ range: Range<UInt64>, _ flags: PageFlags) {
        map(range, flags.subtracting(.present))
        monitor.far = range
    }

    /// With `shortcuts` the memory that is mapped throughout: traps are then not all to be seen.
    package consuming func finish(shortcuts: Range<UInt64>? = nil) throws(MonitorError) -> Monitor {
        if !fits { throw .tooManyPieces }
        if let shortcuts { monitor.addShortcuts(shortcuts) }
        return monitor
    }
}

extension Monitor: PageTableMemory {
    package func loadEntry(_ address: UInt64) -> UInt64? { pages.read(GuestAddress(address &- MonitorMap.base)) }

    package func storeEntry(_ value: UInt64, _ address: UInt64) {
        pages.write(value, at: GuestAddress(address &- MonitorMap.base))
    }
}
