// What is this file? Recognised by its first bytes and, for ELF, by its notes, before anything is loaded.
//
// Read next: ELFImage.swift.

/// The kinds of image that people try to run.
public enum ImageKind: String, Equatable, Sendable {
    case swiftlet, solo5, pvh, linux, multiboot, multiboot2, elf, object, core, efi
    case bootSector = "boot-sector"
    case cpio, gzip, xz, zstd, script, unknown

    /// For a sentence: "not an ELF image but ...".
    public var words: String {
        switch self {
        case .swiftlet: "a Swiftlet guest"
        case .solo5: "a Solo5 unikernel"
        case .pvh: "a Xen PVH kernel"
        case .linux: "a Linux kernel"
        case .multiboot: "a Multiboot kernel"
        case .multiboot2: "a Multiboot 2 kernel"
        case .elf: "an ordinary ELF program"
        case .object: "an ELF object file"
        case .core: "an ELF core file"
        case .efi: "an EFI or Windows program"
        case .bootSector: "a boot sector"
        case .cpio: "a cpio archive, as an initial RAM disk is"
        case .gzip: "a gzip file"
        case .xz: "an xz file"
        case .zstd: "a Zstandard file"
        case .script: "a script"
        case .unknown: "a file of unknown kind"
        }
    }

    /// Recognises a file that is no ELF by its head (at least the first 8 KiB).
    public static func recognise(head: [UInt8]) -> ImageKind {
        // Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202.
        if head.count > 0x206, head[0x202..<0x206].elementsEqual("HdrS".utf8) { return .linux }
        for (magic, kind) in magics where head.starts(with: magic) { return kind }
        if let kind = multibootHeader(head) { return kind }
        if head.count >= 512, head[510] == 0x55, head[511] == 0xaa { return .bootSector }
        return .unknown
    }

    private static let magics: [([UInt8], ImageKind)] = [
        ([0x23, 0x21], .script), ([0x1f, 0x8b], .gzip), ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], .xz),
        ([0x28, 0xb5, 0x2f, 0xfd], .zstd), (Array("MZ".utf8), .efi), (Array("070701".utf8), .cpio),
    ]

    /// The first Multiboot header, of either version.
    public static func multibootHeader(_ head: [UInt8]) -> ImageKind? {
        for offset in multibootPlaces(head) { if let kind = multiboot(at: offset, in: head) { return kind } }
        return nil
    }

    /// Where a Multiboot header could lie.
    static func multibootPlaces(_ head: [UInt8]) -> StrideThrough<Int> {
        stride(from: 0, through: min(head.count, 32768) - 12, by: 4)
    }

    /// A Multiboot header, 4-aligned in the first 8 KiB, or of version 2, 8-aligned in 32 KiB: magic number, two fields,
    /// and a checksum that makes the sum zero (version 1: of three words, version 2: of four).
    static func multiboot(at offset: Int, in head: [UInt8]) -> ImageKind? {
        switch head[offset] {
        case 0x02 where offset <= 8192 - 12 && head.word(offset) == 0x1bad_b002:
            let sum = head.word(offset) &+ head.word(offset + 4) &+ head.word(offset + 8)
            return sum == 0 ? .multiboot : nil
        case 0xd6 where offset % 8 == 0 && offset + 16 <= head.count && head.word(offset) == 0xe852_50d6:
            let sum = head.word(offset) &+ head.word(offset + 4) &+ head.word(offset + 8) &+ head.word(offset + 12)
            return sum == 0 ? .multiboot2 : nil
        default: return nil
        }
    }

    /// Recognises an ELF: by the owners of its notes, then by a Multiboot header, then by its type.
    static func recognise(notes: [ELFNote], head: [UInt8], type: UInt16) -> ImageKind {
        for note in notes {
            switch (note.owner, note.type) {
            case ("Swiftlet", 1): return .swiftlet
            case ("Solo5", _): return .solo5
            case ("Xen", 18): return .pvh
            default: continue
            }
        }
        if let kind = multibootHeader(head) { return kind }
        // LINUX_ELFNOTE_BUILD_SALT, which every vmlinux has (include/linux/build-salt.h)
        if notes.contains(where: { $0.owner == "Linux" && $0.type == 0x100 }) { return .linux }
        switch type {
        case 1: return .object  // ET_REL
        case 4: return .core  // ET_CORE
        default: return .elf
        }
    }
}

extension [UInt8] {
    /// The four bytes there, the lowest first.
    func word(_ offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: number(offset, 4)) }

    /// Up to eight bytes, the lowest first; 0 where there are not so many.
    func number(_ offset: Int, _ size: Int) -> UInt64 {
        guard offset + size <= count else { return 0 }
        return (0..<size).reduce(0) { $0 | UInt64(self[offset + $1]) << UInt64(8 * $1) }
    }
}
