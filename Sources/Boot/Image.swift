// What is this file? Recognised by its first bytes and, for ELF, by its notes, before anything is loaded.
//
// Read next: ELFImage.swift.

/// The kinds of image that people try to run.
public enum ImageKind: String, Equatable, Sendable {
    case swiftlet, solo5, pvh, linux, multiboot, multiboot2, elf, bootSector, script, gzip, unknown

    /// For a sentence: "not an ELF image but ...".
    public var words: String {
        switch self {
        case .swiftlet: "a Swiftlet guest"
        case .solo5: "a Solo5 unikernel"
        case .pvh: "a Xen PVH kernel"
        case .linux: "a Linux bzImage"
        case .multiboot: "a Multiboot kernel"
        case .multiboot2: "a Multiboot 2 kernel"
        case .elf: "an ordinary ELF program"
        case .bootSector: "a boot sector"
        case .script: "a script"
        case .gzip: "a gzip file"
        case .unknown: "a file of unknown kind"
        }
    }

    /// Recognises a file that is no ELF by its head (at least the first 8 KiB).
    public static func recognise(head: [UInt8]) -> ImageKind {
        if head.starts(with: [0x23, 0x21]) { return .script }
        if head.starts(with: [0x1f, 0x8b]) { return .gzip }
        // Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202.
        if head.count > 0x206, head[0x202..<0x206].elementsEqual([0x48, 0x64, 0x72, 0x53]) { return .linux }
        if let kind = multibootHeader(head) { return kind }
        if head.count >= 512, head[510] == 0x55, head[511] == 0xaa { return .bootSector }
        return .unknown
    }

    /// Multiboot: a magic number, 4-aligned in the first 8 KiB (version 2: 8-aligned in 32 KiB).
    public static func multibootHeader(_ head: [UInt8]) -> ImageKind? {
        for offset in stride(from: 0, to: min(head.count, 8192) - 3, by: 4) {
            if head[offset..<offset + 4].elementsEqual([0x02, 0xb0, 0xad, 0x1b]) { return .multiboot }
            if head[offset..<offset + 4].elementsEqual([0xd6, 0x50, 0x52, 0xe8]) { return .multiboot2 }
        }
        return nil
    }

    /// Recognises an ELF by the owners of its notes.
    static func recognise(notes: [ELFNote]) -> ImageKind {
        for note in notes {
            switch (note.owner, note.type) {
            case ("Swiftlet", 1): return .swiftlet
            case ("Solo5", _): return .solo5
            case ("Xen", 18): return .pvh
            default: continue
            }
        }
        return .elf
    }
}
