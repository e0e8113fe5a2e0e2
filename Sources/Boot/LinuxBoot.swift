// Linux's 64-bit boot protocol: a bzImage is entered at 0x200 behind its setup, with the zero page's address in RSI.
//
// The kernel decompresses itself from where it is loaded; a vmlinux, which is decompressed already, starts by PVH. Offsets
// are of the zero page, and of the file, which begins with the same setup header.
// Linux: Documentation/arch/x86/boot.rst, zero-page.rst. Read next: BootError.swift.

import X86

/// Where the 64-bit entry lies in what is loaded.
private let entry: UInt64 = 0x200

/// The setup header, as the file has it.
struct LinuxSetup: Equatable {
    let version: UInt32
    /// Bytes of the file before the part that is loaded.
    let size: UInt64
    /// XLF_KERNEL_64
    let has64BitEntry: Bool
    let preferredAddress: UInt64
    /// Bytes of memory that it needs where it is loaded, to unpack itself.
    let initialSize: UInt64
    let largestDiskAddress: UInt64
    /// Bytes, without the NUL.
    let largestCommandLine: UInt64
    /// What of the file goes into the zero page.
    let copied: Range<Int>

    static let start = 0x1f1

    /// Nil when the file is no bzImage.
    init?(_ image: KernelImage) {
        guard image.number(0x202, 4) == 0x5372_6448 else { return nil }  // HdrS
        version = UInt32(image.number(0x206, 2))
        let sectors = image.number(0x1f1, 1)
        size = ((sectors == 0 ? 4 : sectors) + 1) * 512
        has64BitEntry = image.number(0x236, 2) & 1 != 0
        preferredAddress = image.number(0x258, 8)
        initialSize = image.number(0x260, 4)
        largestDiskAddress = image.number(0x22c, 4)
        largestCommandLine = image.number(0x238, 4)
        copied = Self.start..<min(0x202 + Int(image.number(0x201, 1)), image.head.count, 0x290)
    }
}

extension KernelPlan {
    mutating func placeLinux(_ image: KernelImage, _ wishes: BootWishes) throws(ImageError) {
        guard let setup = LinuxSetup(image) else { throw .boot(.notSuch(.linux)) }
        if setup.version < 0x20c { throw .boot(.linuxTooOld(setup.version)) }
        if !setup.has64BitEntry { throw .boot(.linuxNot64Bit) }
        if wishes.commandLine.utf8.count > setup.largestCommandLine {
            throw .commandLineTooLong(size: wishes.commandLine.utf8.count, limit: Int(setup.largestCommandLine))
        }
        if setup.size + entry >= image.fileSize {
            throw .truncated(what: "what is before its entry", needed: setup.size + entry + 1, size: image.fileSize)
        }
        let size = image.fileSize - setup.size
        let load = setup.preferredAddress
        let what = "the kernel, which needs room to unpack itself,"
        try place(load, max(size, setup.initialSize), what, .file(offset: setup.size, size: size))
        placeFirmware(wishes.machine)
        let disk = try placeInitialDisk(wishes.modules.first, setup)
        let commandLine = try placeTables("command line") { address in
            var table = BootTable(at: address)
            _ = table.addText(wishes.commandLine)
            return table.bytes
        }
        let header = Array(image.head[setup.copied])
        let zeroPage = zeroPage(header, disk: disk, commandLine: commandLine)
        state = KernelState(.long, rip: load + entry)
        state.rsi = try placeTables("zero page", alignment: 4096) { _ in zeroPage }
        try placeLongMode()
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
        var map = BootTable(at: 0)
        for line in memory.map {
            map.add64(line.range.lowerBound, line.size)
            map.add32(UInt64(line.type))
        }
        page.put(0x2d0, map.bytes)
        return page.bytes
    }
}
