// The boot protocol of Swiftlet's own guests: an image and a memory become an initial CPU state.
//
// The guest is entered at CPL 3 in finished 64-bit mode. So the VMM writes what a boot loader and a kernel's first
// instructions would: descriptor tables, page tables (W^X by segment), stack, boot info. Pure: no ioctl here.
// The contract is CABI/swiftlet_boot_info.h. Read next: VMM/Machine.swift.

import CABI
import GuestMemory
import X86

/// What the VMM knows of the host and of the user's wishes.
public struct BootParameters: Sendable {
    public var commandLine: String
    public var moduleSize: UInt64
    public var tscFrequency: UInt64
    public var features: swiftlet_cpu_features
    public var seed: (UInt64, UInt64, UInt64, UInt64)
    public var vcpus = 1
    /// Bit n: segment n of the image is in memory already.
    public var mapped: UInt32 = 0
    /// What the grow call may bring memory to in all, and the bytes it adds at a time; 0 when it cannot grow.
    public var growth: (maximum: UInt64, step: UInt64) = (0, 0)

    public init(
        commandLine: String, moduleSize: UInt64, tscFrequency: UInt64, features: swiftlet_cpu_features,
        seed: (UInt64, UInt64, UInt64, UInt64)
    ) {
        (self.commandLine, self.moduleSize, self.tscFrequency) = (commandLine, moduleSize, tscFrequency)
        (self.features, self.seed) = (features, seed)
    }
}

/// A ring-3 guest, placed.
public struct RingThree: Sendable {
    public let layout: Layout
    /// What is added to the image's addresses.
    public let bias: UInt64
    public let segments: ELFSegments
    public let entry: UInt64

    /// Checks the note and plans the layout.
    public init(_ image: borrowing ELFImage, memorySize: UInt64, moduleSize: UInt64) throws(ImageError) {
        try checkNote(image)
        let bias = image.bias(start: AddressMap.imageStart)
        let pages = image.pages
        layout = try Layout(
            memorySize: memorySize, image: pages.lowerBound &+ bias..<pages.upperBound &+ bias, moduleSize: moduleSize)
        self.bias = bias
        entry = image.entry &+ bias
        var segments = image.segments
        for index in segments.indices { segments[index].address &+= bias }
        self.segments = segments
    }

    /// A guest that lies in memory already.
    package init(layout: Layout, bias: UInt64) {
        (self.layout, self.bias, segments, entry) = (layout, bias, ELFSegments(), 0)
    }

    /// Fills memory with everything but the module's content; returns how the vCPU starts.
    public func install(
        _ image: borrowing ELFImage, in memory: borrowing GuestMemory, _ parameters: BootParameters
    ) throws(ImageError) -> CPUState {
        try image.load(into: memory, bias: bias, mapped: parameters.mapped)
        return try finish(in: memory, parameters)
    }

    /// Everything but the image.
    func finish(in memory: borrowing GuestMemory, _ parameters: BootParameters) throws(ImageError) -> CPUState {
        writeMachineTables(memory)
        let root = try buildPageTables(memory)
        try writeBootInfo(parameters, root: root, memory)
        // As after a call: the stack pointer is 8 below a multiple of 16 (System V psABI, section 3.2.2).
        return CPUState(rip: entry, rsp: layout.stack.upperBound - 8, rdi: AddressMap.bootInfo, cr3: root)
    }

    private func writeMachineTables(_ memory: borrowing GuestMemory) {
        let entries = GDT.entries(tss: AddressMap.tss, tssLimit: TSS.limit)
        for index in entries.indices { memory.writeMachine(entries[index], at: AddressMap.gdt + UInt64(index) * 8) }
        for vector in 0..<256 {
            let gate = IDT.gate(vector: vector, handler: Stub.address(vector: vector), stack: 1)
            memory.writeMachine(gate.low, at: AddressMap.idt + UInt64(vector) * 16)
            memory.writeMachine(gate.high, at: AddressMap.idt + UInt64(vector) * 16 + 8)
            memory.writeMachine(Stub.code(vector: vector), at: Stub.address(vector: vector))
        }
        let words = TSS.words(reportStack: AddressMap.reportStackTop(vcpu: 0))
        for index in words.indices { memory.writeMachine(words[index].value, at: AddressMap.tss + words[index].offset) }
    }

    private func buildPageTables(_ memory: borrowing GuestMemory) throws(ImageError) -> UInt64 {
        var builder = PageTableBuilder(tables: layout.tables)
        memory.storeEntry(0, builder.root)
        for (range, flags) in mappings {
            guard builder.mapIdentity(range, flags, huge: true, in: memory) else {
                throw .memoryTooSmall(needed: layout.tables.upperBound + 1 << 20, given: layout.memorySize)
            }
        }
        return builder.root
    }

    /// Every mapped range once. Not in it, and so not present: page 0, the gap below RAM, the stack's guard page.
    /// Some may be empty.
    var mappings: ShortList<(Range<UInt64>, PageFlags), 36> {
        var list = ShortList<(Range<UInt64>, PageFlags), 36>()  // four, and two for each segment
        list.append((AddressMap.machine.lowerBound..<AddressMap.stubs, .supervisor))
        list.append((AddressMap.stubs..<AddressMap.machine.upperBound, .code))
        var next = layout.low.lowerBound
        for segment in segments {
            list.append((next..<segment.pages.lowerBound, .data))
            list.append((segment.pages, segment.flags))
            next = segment.pages.upperBound
        }
        list.append((layout.stack.lowerBound..<layout.low.upperBound, .data))
        list.append((layout.high, .data))
        // The first 2 MiB stay in 4 KiB pages whatever lies there, as do ranges that share 2 MiB with another.
        return list
    }
}

private func checkNote(_ image: borrowing ELFImage) throws(ImageError) {
    guard let note = image.swiftletNote else { throw .noNote(image.kind) }
    if note.size != 8 { throw .malformed("a Swiftlet note of \(note.size) bytes") }
    let ours = UInt32(SWIFTLET_ABI_VERSION)
    if note.abiVersion > ours { throw .newerABI(image: note.abiVersion, ours: ours) }
    if note.abiVersion == 0 { throw .malformed("a Swiftlet note with ABI version 0") }
    let unknown = note.flags & ~UInt32(SWIFTLET_NOTE_RING3)
    if unknown != 0 { throw .unknownFlags(unknown) }
    if note.flags & UInt32(SWIFTLET_NOTE_RING3) == 0 { throw .malformed("a Swiftlet note without SWIFTLET_NOTE_RING3") }
}
