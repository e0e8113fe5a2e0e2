// Inspecting: every kind of file is named, guests are laid out, and no damage to a file does worse than a message.
//
// Read next: Sources/swiftlet-inspect/Inspection.swift.

import Subcommand
import TestSupport
import Testing

@testable import Boot
@testable import swiftlet_inspect

/// An inspection of these bytes as a file.
func inspect(_ content: [UInt8], memorySize: UInt64 = 64 << 20) throws -> Inspection {
    let folder = ScratchFolder()
    let file = try InspectedFile(try folder.file("image", content))
    return try Inspection(file, MemoryWishes(size: memorySize), moduleSize: 0)
}

/// A file of a kind that is told by its first bytes.
struct Sample: CustomTestStringConvertible {
    let kind: String
    let content: [UInt8]
    let testDescription: String

    init(_ kind: String, _ what: String, _ content: [UInt8]) {
        self.kind = kind
        self.content = content
        testDescription = what
    }

    /// A kilobyte of zeros but for what is given by its offset.
    init(_ kind: String, _ what: String, _ parts: [Int: [UInt8]]) {
        var content = [UInt8](repeating: 0, count: 1024)
        for (offset, part) in parts { content.replaceSubrange(offset..<offset + part.count, with: part) }
        self.init(kind, what, content)
    }

    private static let multiboot: [UInt8] = [0x02, 0xb0, 0xad, 0x1b, 3, 0, 0, 0, 0xfb, 0x4f, 0x52, 0xe4]
    private static let multiboot2: [UInt8] = [
        0xd6, 0x50, 0x52, 0xe8, 0, 0, 0, 0, 16, 0, 0, 0, 0x1a, 0xaf, 0xad, 0x17,
    ]

    static let all = [
        Sample("script", "script", [0: Array("#!/bin/sh\n".utf8)]), Sample("gzip", "gzip", [0: [0x1f, 0x8b]]),
        Sample("xz", "xz", [0: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]]),
        Sample("zstd", "zstd", [0: [0x28, 0xb5, 0x2f, 0xfd]]), Sample("efi", "EFI", [0: Array("MZ".utf8)]),
        Sample("cpio", "cpio", [0: Array("070701".utf8)]),
        Sample("linux", "bzImage", [0: Array("MZ".utf8), 0x202: Array("HdrS".utf8)]),
        Sample("boot-sector", "boot sector", [510: [0x55, 0xaa]]), Sample("multiboot", "Multiboot", [64: multiboot]),
        Sample("unknown", "Multiboot with a wrong checksum", [64: multiboot.dropLast() + [0]]),
        Sample("multiboot2", "Multiboot 2", [8: multiboot2]),
        Sample("unknown", "Multiboot 2 not on 8 bytes", [4: multiboot2]), Sample("unknown", "empty", []),
        Sample("unknown", "one byte", [0x7f]), Sample("unknown", "text", Array("hello".utf8)),
    ]
}

@Suite struct KindTests {
    @Test(arguments: Sample.all)
    func byItsHead(_ sample: Sample) throws {
        let inspection = try inspect(sample.content)
        #expect(inspection.kind == sample.kind)
        #expect(!inspection.runnable)
        #expect(inspection.problem?.isEmpty == false)
        #expect(inspection.text.contains("cannot be run: "))
    }

    @Test func linuxHeader() throws {
        let parts: [Int: [UInt8]] = [0x202: Array("HdrS".utf8), 0x206: [0x0f, 0x02], 0x234: [1], 0x236: [1, 0]]
        var head = Sample("linux", "", parts).content
        head.replaceSubrange(0x20e..<0x210, with: [0x00, 0x01])
        head.replaceSubrange(0x300..<0x306, with: Array("6.1.0\0".utf8))
        let header = try #require(LinuxHeader(head))
        #expect((header.protocolVersion, header.kernelVersion) == ("2.15", "6.1.0"))
        #expect((header.longModeEntry, header.relocatable) == (true, true))
        head.replaceSubrange(0x20e..<0x210, with: [0xff, 0xff])
        #expect(LinuxHeader(head)?.kernelVersion == "")
        #expect(LinuxHeader(Array(head.prefix(0x206))) == nil)
    }
}

@Suite struct NoteTests {
    private func meaning(_ owner: String, _ type: UInt32, _ words: UInt32...) -> String {
        let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
        return ELFNote(owner: owner, type: type, descriptor: bytes).meaning
    }

    @Test func ofTheOwnersThatDecide() {
        #expect(meaning("Swiftlet", 1, 1, 1) == "ABI version 1, ring 3")
        #expect(meaning("Swiftlet", 1, 2, 5) == "ABI version 2, ring 3, unknown flags 0x4")
        #expect(meaning("Swiftlet", 1, 2) == "too short")
        #expect(meaning("Solo5", 0x3149_4241, 1, 2, 0, 0) == "target hvt, ABI version 2")
        #expect(meaning("Solo5", 0x3154_464d, 0, 1, 2) == "manifest version 1, 1 device")
        #expect(meaning("Solo5", 0x3154_464d, 0, 1, 0) == "manifest version 1, 0 devices")
        #expect(meaning("Xen", 18, 0x100_0850, 0) == "entry for PVH at 0x1000850")
        #expect(meaning("Xen", 18) == "too short")
        #expect(meaning("GNU", 1, 0, 3, 2, 0) == "for Linux 3.2.0 or later")
        #expect(meaning("GNU", 3, 0xefbe_adde) == "build ID deadbeef")
        #expect(meaning("Nobody", 1) == "")
    }
}
