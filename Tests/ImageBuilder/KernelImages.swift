// Kernels that were not made for Swiftlet: ELF files of 32 bits, Multiboot headers, PVH notes and a bzImage's setup.
//
// As ELFBuilder.swift it checks nothing. Read next: Tests/BootTests/MultibootTests.swift.

/// An ELF32 file for i386 in the making.
public struct ELF32Builder: Sendable {
    public struct Segment: Sendable {
        /// 1 is to be loaded, 4 a note.
        public var type: UInt32
        public var address: UInt32
        /// Nil: as `address`.
        public var physical: UInt32?
        public var content: [UInt8]
        public var memorySize: UInt32?

        public init(
            type: UInt32 = 1, address: UInt32, physical: UInt32? = nil, content: [UInt8], memorySize: UInt32? = nil
        ) {
            (self.type, self.address, self.physical) = (type, address, physical)
            (self.content, self.memorySize) = (content, memorySize)
        }
    }

    public var type: UInt16 = 2
    public var machine: UInt16 = 3
    public var entry: UInt32
    public var segments: [Segment]

    public init(entry: UInt32, segments: [Segment]) {
        self.entry = entry
        self.segments = segments
    }

    /// Where the content of the first segment lies in the file.
    public var firstContent: Int { 52 + 32 * segments.count }

    public func build() -> [UInt8] {
        var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0] + [UInt8](repeating: 0, count: 8)
        header.append16(type, machine)
        header.append32(1, entry, 52, 0, 0)
        header.append16(52, 32, UInt16(segments.count), 0, 0, 0)
        var content: [UInt8] = []
        for segment in segments {
            let size = UInt32(segment.content.count)
            header.append32(
                segment.type, UInt32(firstContent + content.count), segment.address,
                segment.physical ?? segment.address, size, segment.memorySize ?? size, 7, 4)
            content += segment.content
            content.pad(to: 4)
        }
        return header + content
    }
}

/// Small kernels of each kind; each runs an endless loop.
public enum KernelImages {
    public static let address: UInt32 = 0x10_0000
    private static let loop: [UInt8] = [0xeb, 0xfe]

    /// A Multiboot header, with a checksum that is right unless another is given; `addresses` are its five fields.
    public static func multibootHeader(
        flags: UInt32 = 3, checksum: UInt32? = nil, addresses: [UInt32] = []
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(0x1bad_b002, flags, checksum ?? 0 &- 0x1bad_b002 &- flags)
        for address in addresses { bytes.append32(address) }
        return bytes
    }

    public static func multiboot(flags: UInt32 = 3) -> ELF32Builder {
        let header = multibootHeader(flags: flags)
        return ELF32Builder(
            entry: address + UInt32(header.count),
            segments: [.init(address: address, content: header + loop, memorySize: 0x2000)])
    }

    /// No ELF: the header has addresses, 64 bytes behind the file's start; the kernel begins 16 bytes before it.
    public static func multibootByAddresses(
        header: UInt32 = address + 16, load: UInt32 = address, loadEnd: UInt32 = 0, bssEnd: UInt32 = address + 0x1000,
        entry: UInt32 = address + 64
    ) -> [UInt8] {
        [UInt8](repeating: 0x11, count: 48) + [UInt8](repeating: 0x22, count: 16)
            + multibootHeader(flags: 0x1_0003, addresses: [header, load, loadEnd, bssEnd, entry])
            + [UInt8](repeating: 0x90, count: 32) + loop
    }

    public static func pvh(entry: [UInt8]? = nil) -> ELF32Builder {
        var place: [UInt8] = []
        place.append32(address)
        return ELF32Builder(
            entry: 0,
            segments: [
                .init(address: address, content: loop, memorySize: 0x3000),
                .init(type: 4, address: 0, content: ELFBuilder.note(owner: "Xen", type: 18, entry ?? place)),
            ])
    }

    public static func bootSector() -> [UInt8] {
        loop + [UInt8](repeating: 0, count: 508) + [0x55, 0xaa]
    }

    /// An unpacked Linux, known by its note.
    public static func vmlinux(entry: UInt64 = UInt64(address)) -> ELFBuilder {
        ELFBuilder(
            entry: entry,
            segments: [
                .init(flags: 7, address: UInt64(address), content: loop, memorySize: 0x3000),
                .init(type: 4, flags: 4, address: 0, content: ELFBuilder.note(owner: "Linux", type: 0x100, [0x30, 0])),
            ])
    }

    /// A bzImage with one sector of setup, of protocol 2.15, preferring `load`.
    public static func linux(load: UInt64 = 1 << 20, initialSize: UInt32 = 0x10_0000) -> [UInt8] {
        var file = [UInt8](repeating: 0, count: 1024) + [UInt8](repeating: 0x90, count: 0x200) + loop
        file[0x1f1] = 1
        file[0x200] = 0xeb
        file[0x201] = 0x6a  // the header ends at 0x26c
        file.patch(0x202, UInt32(0x5372_6448))
        file.patch(0x206, UInt16(0x20f))
        file[0x211] = 1
        file.patch(0x22c, UInt32(0x7fff_ffff))
        file.patch(0x236, UInt16(1))
        file.patch(0x238, UInt32(2047))
        file.patch(0x258, load)
        file.patch(0x260, initialSize)
        return file
    }
}
