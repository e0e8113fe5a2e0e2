// Linux's 64-bit boot protocol: 64-bit mode, with the zero page's address in RSI.
//
// A bzImage is entered at 0x200 behind its setup, and unpacks itself from where it is loaded. A vmlinux, which is what comes
// out of that, is entered as its ELF header says; it has no setup header, so it gets one of ours. Offsets are of the zero
// page, and of a bzImage's file, which begins with the same setup header.
// Linux: Documentation/arch/x86/boot.rst, zero-page.rst. Read next: BootError.swift.

import X86

/// Where the 64-bit entry lies in what is loaded.
private let entry: UInt64 = 0x200

/// The setup header: a bzImage's, or ours for a vmlinux.
struct LinuxSetup: Equatable {
    /// Bytes of the file before the part that is loaded.
    var size: UInt64 = 0
    var preferredAddress: UInt64 = 0
    /// Bytes of memory that it needs where it is loaded, to unpack itself.
    var initialSize: UInt64 = 0
    let largestDiskAddress: UInt64
    /// Bytes, without the NUL.
    let largestCommandLine: UInt64
    /// What goes into the zero page, from `start` on.
    let header: [UInt8]

    static let start = 0x1f1

    init(bzImage image: KernelImage) throws(ImageError) {
        guard image.number(0x202, 4) == 0x5372_6448 else { throw .boot(.notSuch(.linux)) }  // HdrS
        let version = UInt32(image.number(0x206, 2))
        if version < 0x20c { throw .boot(.linuxTooOld(version)) }
        if image.number(0x236, 2) & 1 == 0 { throw .boot(.linuxNot64Bit) }  // XLF_KERNEL_64
        let sectors = image.number(0x1f1, 1)
        size = ((sectors == 0 ? 4 : sectors) + 1) * 512
        preferredAddress = image.number(0x258, 8)
        initialSize = image.number(0x260, 4)
        largestDiskAddress = image.number(0x22c, 4)
        largestCommandLine = image.number(0x238, 4)
        header = Array(image.head[Self.start..<min(0x202 + Int(image.number(0x201, 1)), image.head.count, 0x290)])
    }

    /// What the kernel itself reads of a header, as its own bzImage would have it (arch/x86/boot/header.S).
    init(vmlinux image: KernelImage) throws(ImageError) {
        let x86: UInt16 = 62
        guard image.survey?.is64Bit == true, image.survey?.machine == x86 else { throw .boot(.linuxNot64Bit) }
        (largestDiskAddress, largestCommandLine) = (0x7fff_ffff, 2047)
        var page = BootTable(at: 0)
        for _ in 0..<0x270 / 8 { page.add64(0) }
        page.put(0x1fe, [0x55, 0xaa])
        page.put32(0x202, 0x5372_6448)
        page.put(0x206, [0x0f, 2])
        page.put32(0x22c, largestDiskAddress)
        page.put32(0x230, 2 << 20)  // kernel_alignment
        page.put32(0x238, largestCommandLine)
        header = Array(page.bytes[Self.start...])
    }
}

extension KernelPlan {
    mutating func placeLinux(_ image: KernelImage, _ wishes: BootWishes) throws(ImageError) {
        let setup = try image.survey == nil ? LinuxSetup(bzImage: image) : LinuxSetup(vmlinux: image)
        if wishes.commandLine.utf8.count > setup.largestCommandLine {
            throw .commandLineTooLong(size: wishes.commandLine.utf8.count, limit: Int(setup.largestCommandLine))
        }
        if image.survey == nil { try placePacked(image, setup) } else { try placeUnpacked(image) }
        placeFirmware(wishes.machine)
        let disk = try placeInitialDisk(wishes.modules.first, setup)
        let commandLine = try placeTables("command line") { address in
            var table = BootTable(at: address)
            _ = table.addText(wishes.commandLine)
            return table.bytes
        }
        let zeroPage = zeroPage(setup.header, disk: disk, commandLine: commandLine)
        state.rsi = try placeTables("zero page", alignment: 4096) { _ in zeroPage }
        try placeLongMode()
    }

    private mutating func placePacked(_ image: KernelImage, _ setup: LinuxSetup) throws(ImageError) {
        if setup.size + entry >= image.fileSize {
            throw .truncated(what: "what is before its entry", needed: setup.size + entry + 1, size: image.fileSize)
        }
        let size = image.fileSize - setup.size
        let load = setup.preferredAddress
        let what = "the kernel, which needs room to unpack itself,"
        try place(load, max(size, setup.initialSize), what, .file(offset: setup.size, size: size))
        state = KernelState(.long, rip: load + entry)
    }

    private mutating func placeUnpacked(_ image: KernelImage) throws(ImageError) {
        let segments = try image.segments()
        try place(segments)
        state = KernelState(.long, rip: 0)
        try enter(at: segments.physical(image.survey?.entry ?? 0))
    }

    /// As high as the kernel can reach it, where nothing is in the way of its unpacking.
    private mutating func placeInitialDisk(
        _ disk: BootWishes.Module?, _ setup: LinuxSetup
    ) throws(ImageError) -> Range<UInt64> {
        guard let disk else { return 0..<0 }
        let what = "the initial RAM disk"
        let end = min(setup.largestDiskAddress + 1, memory.low.upperBound)
        let range = KernelMemory.firstMegabyte..<max(end, KernelMemory.firstMegabyte)
        let start = try highestRoom(disk.size, what, in: range)
        try place(start, disk.size, what, .module(0))
        return start..<start + disk.size
    }

    private func zeroPage(_ header: [UInt8], disk: Range<UInt64>, commandLine: UInt64) -> [UInt8] {
        var page = BootTable(at: 0)
        for _ in 0..<512 { page.add64(0) }
        page.put(LinuxSetup.start, header)
        page.put32(0x70, acpi)
        page.put(0x210, [0xff])  // a boot loader without a number of its own
        page.put(0x211, [header.count > 0x20 ? header[0x20] | 1 : 1])  // LOADED_HIGH
        page.put32(0x218, disk.lowerBound)
        page.put32(0x21c, disk.upperBound - disk.lowerBound)
        page.put32(0x228, commandLine)
        page.put(0x1e8, [UInt8(memory.map.count)])
        page.put(0x2d0, memory.e820.flatMap(\.self))
        return page.bytes
    }
}
