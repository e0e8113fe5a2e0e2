// Multiboot, version 1: a header somewhere in the first 8 KiB, and a struct of information that the kernel is given.
//
// The image is an ELF of 32 or 64 bits, loaded by physical address; or the header itself says what lies where (flag 16).
// Entered in 32-bit protected mode with EAX = 0x2badb002 and the struct's address in EBX.
// Multiboot Specification 0.6.96, chapter 3. Read next: PVH.swift.

import X86

private let entryMagic: UInt64 = 0x2bad_b002

/// The header's words, by the specification's names (3.1.1).
private struct Header {
    /// In the file.
    let offset: Int
    let flags: UInt32
    let headerAddress, loadAddress, loadEnd, bssEnd, entry: UInt64

    /// What a loader may not ignore: bits 0 to 15. Of these 0 (modules on pages) and 1 (how much memory) always hold here.
    static let understood: UInt32 = 0xffff_0003
    var hasAddresses: Bool { flags & 1 << 16 != 0 }

    init?(_ image: KernelImage) {
        let head = image.head
        let places = ImageKind.multibootPlaces(head)
        guard let offset = places.first(where: { ImageKind.multiboot(at: $0, in: head) == .multiboot }) else {
            return nil
        }
        self.offset = offset
        flags = UInt32(image.number(offset + 4, 4))
        func address(_ index: Int) -> UInt64 { image.number(offset + 12 + 4 * index, 4) }
        (headerAddress, loadAddress, loadEnd, bssEnd) = (address(0), address(1), address(2), address(3))
        entry = address(4)
    }
}

extension KernelPlan {
    mutating func placeMultiboot(_ image: KernelImage, _ wishes: BootWishes) throws(ImageError) {
        guard let header = Header(image) else { throw .boot(.notSuch(.multiboot)) }
        if header.flags & ~Header.understood != 0 { throw .boot(.multibootFlags(header.flags)) }
        if header.hasAddresses {
            try placeByAddresses(image, header)
        } else {
            let segments = try image.segments()
            try place(segments)
            try enter(at: segments.physical(image.survey?.entry ?? 0))
        }
        try placeModules(wishes.modules)
        let information = try placeTables("Multiboot information") { [self] in self.information(wishes, at: $0) }
        (state.rax, state.rbx) = (entryMagic, information)
    }

    /// The file as one piece, from where the header's distance to the load address says.
    private mutating func placeByAddresses(_ image: KernelImage, _ header: Header) throws(ImageError) {
        let distance = header.headerAddress &- header.loadAddress
        guard header.loadAddress <= header.headerAddress, distance <= UInt64(header.offset) else {
            throw .boot(.multibootAddresses)
        }
        let offset = UInt64(header.offset) - distance
        let end = header.loadEnd == 0 ? header.loadAddress + (image.fileSize - offset) : header.loadEnd
        guard end > header.loadAddress, end - header.loadAddress <= image.fileSize - offset,
            header.bssEnd == 0 || header.bssEnd >= end
        else { throw .boot(.multibootAddresses) }
        let size = end - header.loadAddress
        try place(
            header.loadAddress, max(header.bssEnd, end) - header.loadAddress, "the image",
            .file(offset: offset, size: size))
        try enter(at: header.entry)
    }

    /// The struct and all that it points at (3.3). `address` counts only for the pointers in it.
    private func information(_ wishes: BootWishes, at address: UInt64) -> [UInt8] {
        var table = BootTable(at: address)
        let size = 120
        for _ in 0..<size / 4 { table.add32(0) }
        let hasMemory, hasCommandLine, hasModules, hasMap, hasLoaderName: UInt64
        (hasMemory, hasCommandLine, hasModules, hasMap, hasLoaderName) = (1 << 0, 1 << 2, 1 << 3, 1 << 6, 1 << 9)
        table.put32(0, hasMemory | hasCommandLine | hasModules | hasMap | hasLoaderName)
        let upper = max(memory.low.upperBound, KernelMemory.firstMegabyte) - KernelMemory.firstMegabyte
        table.put32(4, KernelMemory.lowEnd >> 10)
        table.put32(8, upper >> 10)
        let arguments = wishes.commandLine.isEmpty ? "" : " \(wishes.commandLine)"
        table.put32(16, table.addText(wishes.image + arguments))
        let texts = wishes.modules.map { module in
            table.addText(module.path + (module.arguments.isEmpty ? "" : " \(module.arguments)"))
        }
        table.put32(64, table.addText("Swiftlet"))
        table.pad(to: 4)
        table.put32(20, UInt64(texts.count))
        table.put32(24, table.next)
        for (index, text) in texts.enumerated() {
            table.add32(module(index).lowerBound, module(index).upperBound, text, 0)
        }
        let map = table.next
        for line in memory.map {
            table.add32(20)  // bytes of this entry that follow
            table.add64(line.range.lowerBound, line.size)
            table.add32(UInt64(line.type))
        }
        table.put32(44, table.next - map)
        table.put32(48, map)
        return table.bytes
    }
}

extension [KernelSegment] {
    /// An ELF's entry is a virtual address; paging is off when the kernel is entered.
    func physical(_ entry: UInt64) -> UInt64 {
        let segment = first { entry >= $0.virtual && entry - $0.virtual < $0.memorySize }
        return segment.map { entry - $0.virtual &+ $0.physical } ?? entry
    }
}
