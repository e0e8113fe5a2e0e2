// Images that are right: a guest that only has what it must, one with everything, and one that can lie anywhere.
//
// Read next: Tests/BootTests.

extension ELFBuilder {
    /// Where `guest`'s code lies, and where it is entered.
    public static let codeAddress: UInt64 = 0x4_0000

    /// A note as a linker writes it: owner and descriptor padded to words.
    public static func note(owner: String = "Swiftlet", type: UInt32 = 1, _ descriptor: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        let name = Array(owner.utf8) + [0]
        bytes.append32(UInt32(name.count), UInt32(descriptor.count), type)
        bytes += name
        bytes.pad(to: 4)
        bytes += descriptor
        bytes.pad(to: 4)
        return bytes
    }

    /// The note of a Swiftlet guest.
    public static func swiftletNote(version: UInt32 = 1, flags: UInt32 = 1) -> [UInt8] {
        var descriptor: [UInt8] = []
        descriptor.append32(version, flags)
        return note(descriptor)
    }

    /// A PT_NOTE segment.
    public static func noteSegment(_ content: [UInt8], alignment: UInt64 = 4) -> Segment {
        Segment(type: 4, flags: 4, address: 0, content: content, alignment: alignment)
    }

    /// One segment of code and the note. Runs `code`, by default an endless loop.
    public static func guest(code: [UInt8] = [0xeb, 0xfe], note: [UInt8] = swiftletNote()) -> ELFBuilder {
        ELFBuilder(
            entry: codeAddress,
            segments: [Segment(flags: 5, address: codeAddress, content: code), noteSegment(note)])
    }

    /// Code, constants, variables with a zeroed part, another note beside ours, a stack marker, and symbols.
    public static func fullGuest() -> ELFBuilder {
        var builder = ELFBuilder(
            entry: codeAddress + 0x10,
            segments: [
                Segment(flags: 4, address: 0x4_3000, content: Array("constants".utf8)),
                Segment(flags: 5, address: codeAddress, content: [UInt8](repeating: 0x90, count: 0x30)),
                Segment(flags: 6, address: 0x4_2f00, content: [1, 2, 3], memorySize: 0x80),
                noteSegment(note(owner: "GNU", type: 3, [UInt8](repeating: 7, count: 20)) + swiftletNote()),
                Segment(type: 0x6474_e551, flags: 6, address: 0, content: []),  // PT_GNU_STACK
            ])
        builder.symbols = [
            Symbol("start", codeAddress + 0x10, size: 0x10), Symbol("main", codeAddress + 0x20, size: 8),
            Symbol("table", 0x4_3000, size: 9, type: 1), Symbol("guest.c", 0, type: 4),
            Symbol("unknown", codeAddress + 0x18, section: 0),
        ]
        return builder
    }

    /// Where an hvt unikernel's code lies, and where it is entered.
    public static let unikernelAddress: UInt64 = 0x10_0000

    /// The notes of a Solo5 unikernel: target 1 is hvt.
    public static func solo5ABI(target: UInt32 = 1, version: UInt32 = 2) -> [UInt8] {
        var descriptor: [UInt8] = []
        descriptor.append32(target, version, 0, 0)
        return solo5Note(0x3149_4241, descriptor)
    }

    /// The name field of Solo5's notes is always 8 bytes; 4 more precede a manifest.
    public static func solo5Note(_ type: UInt32, _ descriptor: [UInt8]) -> [UInt8] {
        note(owner: "Solo5", type: type, descriptor)
    }

    /// A manifest with devices by name and type (1 a disk, 2 a network).
    public static func solo5Manifest(_ devices: [(name: String, type: UInt32)]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append32(1, UInt32(devices.count + 1))
        for (name, type) in [("", 0x4000_0000)] + devices {
            bytes += Array(name.utf8) + [UInt8](repeating: 0, count: 68 - name.utf8.count)
            bytes.append32(type)
            bytes += [UInt8](repeating: 0, count: 32)
        }
        return bytes
    }

    /// An hvt unikernel: code, notes, and a host's interpreter that does not exist.
    public static func unikernel(
        code: [UInt8] = [0xeb, 0xfe], abi: [UInt8] = solo5ABI(), manifest: [UInt8] = solo5Manifest([])
    ) -> ELFBuilder {
        ELFBuilder(
            entry: unikernelAddress,
            segments: [
                Segment(type: 3, flags: 4, address: unikernelAddress, content: Array("/nonexistent/solo5/".utf8) + [0]),
                Segment(flags: 1, address: unikernelAddress, content: code, memorySize: 0x1000, alignment: 1),
                noteSegment(abi), noteSegment(solo5Note(0x3154_464d, [0, 0, 0, 0] + manifest)),
            ])
    }

    /// A dynamic section: tags and values, and DT_NULL.
    public static func dynamic(_ entries: [(UInt64, UInt64)]) -> Segment {
        var content: [UInt8] = []
        for (tag, value) in entries { content.append64(tag, value) }
        content.append64(0, 0)
        return Segment(type: 2, flags: 6, address: 0, content: content, alignment: 8)
    }

    /// Relocation entries (Elf64_Rela): place, type, addend.
    public static func relocations(_ entries: [(place: UInt64, type: UInt64, addend: UInt64)]) -> [UInt8] {
        var content: [UInt8] = []
        for entry in entries { content.append64(entry.place, entry.type, entry.addend) }
        return content
    }

    public static let (relaTag, relaSizeTag, relaEntryTag): (UInt64, UInt64, UInt64) = (7, 8, 9)

    /// A static-PIE linked at 0: code at 0, relocation table at 0x1000, the words that it points at from 0x2000.
    public static func movableGuest(
        relocations table: [UInt8] = relocations([(0x2000, 8, 0x10), (0x2008, 8, 0x2000), (0x2010, 0, 0)]),
        dynamic entries: [(UInt64, UInt64)]? = nil
    ) -> ELFBuilder {
        let usual = [(relaTag, 0x1000), (relaSizeTag, UInt64(table.count)), (relaEntryTag, 24)]
        var builder = ELFBuilder(
            entry: 0x10,
            segments: [
                Segment(flags: 5, address: 0, content: [UInt8](repeating: 0x90, count: 0x20)),
                Segment(flags: 4, address: 0x1000, content: table),
                Segment(flags: 6, address: 0x2000, content: [UInt8](repeating: 0xff, count: 24), memorySize: 0x100),
                noteSegment(swiftletNote()), dynamic(entries ?? usual),
            ])
        builder.type = 3
        return builder
    }
}
