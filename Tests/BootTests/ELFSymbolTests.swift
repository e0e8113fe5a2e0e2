// From an address to a symbol, and from a file that is no guest to what it is: what reports are made of.
//
// Read next: LayoutTests.swift.

import ImageBuilder
import TestSupport
import Testing

@testable import Boot

@Suite struct ELFSymbolTests {
    private func symbol(_ address: UInt64, _ change: (inout ELFBuilder) -> Void = { _ in }) throws -> String? {
        var builder = ELFBuilder.fullGuest()
        change(&builder)
        let file = AnonymousFile(builder.build())
        return try ELFImage(fd: file.fd, fileSize: file.size).symbol(at: address)?.description
    }

    @Test func functionsAndObjectsAreFound() throws {
        #expect(try symbol(0x4_0010) == "start+0x0")
        #expect(try symbol(0x4_001f) == "start+0xf", "and not the undefined one at 0x18")
        #expect(try symbol(0x4_0020) == "main+0x0")
        #expect(try symbol(0x4_3008) == "table+0x8")
    }

    @Test func nothingIsFoundOutside() throws {
        #expect(try symbol(0x4_0028) == nil, "behind the end of main")
        #expect(try symbol(0x4_000f) == nil)
        #expect(try symbol(0) == nil, "files are no places")
        #expect(try symbol(.max) == nil)
        #expect(try symbol(0x4_0010) { $0.symbols = [] } == nil)
    }

    /// Assembly makes symbols without a size: they reach to the next one.
    @Test func symbolWithoutASizeReachesOn() throws {
        #expect(try symbol(0x4_00f0) { $0.symbols[1].size = 0 } == "main+0xd0")
        #expect(try symbol(.max) { $0.symbols = [ELFBuilder.Symbol("all", 0)] } == "all+0xffffffffffffffff")
    }

    @Test func symbolAtTheEndOfAddresses() throws {
        #expect(try symbol(.max) { $0.symbols = [ELFBuilder.Symbol("last", .max, size: .max)] } == "last+0x0")
    }
}

@Suite struct ImageKindTests {
    private func multiboot(at offset: Int, version: Int = 1, checksum: UInt32? = nil) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: offset)
        if version == 1 {
            bytes.append32(0x1bad_b002, 3, checksum ?? (0 &- 0x1bad_b002 &- 3))
        } else {
            bytes.append32(0xe852_50d6, 0, 24, checksum ?? (0 &- 0xe852_50d6 &- 24))
        }
        return bytes
    }

    @Test func multibootHeadersAreAddedUp() {
        #expect(ImageKind.recognise(head: multiboot(at: 0)) == .multiboot)
        #expect(ImageKind.recognise(head: multiboot(at: 8180)) == .multiboot)
        #expect(ImageKind.recognise(head: multiboot(at: 8184)) == .unknown, "not within 8 KiB")
        #expect(ImageKind.recognise(head: multiboot(at: 2)) == .unknown, "not aligned")
        #expect(ImageKind.recognise(head: multiboot(at: 4, checksum: 1)) == .unknown)
        #expect(ImageKind.recognise(head: Array(multiboot(at: 4).dropLast())) == .unknown)
        #expect(ImageKind.recognise(head: multiboot(at: 16, version: 2)) == .multiboot2)
        #expect(ImageKind.recognise(head: multiboot(at: 4, version: 2)) == .unknown, "not 8-aligned")
        #expect(ImageKind.recognise(head: Array(multiboot(at: 16, version: 2).dropLast())) == .unknown)
    }

    @Test func elfOfSomebodyElseIsRecognised() {
        var builder = ELFBuilder.guest()
        builder.segments.removeLast()
        builder.segments[0].content = [0xeb, 0xfe, 0, 0, 0, 0, 0, 0] + multiboot(at: 0)
        #expect(refusal(of: builder.build()) == .noNote(.multiboot))
    }

    @Test func everyKindHasWords() {
        let heads: [[UInt8]] = [
            [], [0x23, 0x21], [0x1f, 0x8b], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], [0x28, 0xb5, 0x2f, 0xfd],
            Array("MZ".utf8), Array("070701".utf8),
        ]
        let kinds = heads.map { ImageKind.recognise(head: $0) }
        #expect(kinds == [.unknown, .script, .gzip, .xz, .zstd, .efi, .cpio])
        for kind in kinds { #expect(ImageError.notELF(kind).isReadable) }
    }
}

@Suite struct ShortListTests {
    @Test func fullListRefuses() {
        var list = ShortList<Int, 3>()
        #expect(list.isEmpty)
        let results = [1, 2, 3, 4].map { list.append($0) }
        #expect(results == [true, true, true, false])
        #expect(Array(list) == [1, 2, 3])
        list[1] = 7
        #expect(list.map { $0 } == [1, 7, 3])
    }

    @Test func equalByElements() {
        var (a, b) = (ShortList<Int, 2>(), ShortList<Int, 2>())
        #expect(a == b)
        a.append(1)
        #expect(a != b)
        b.append(1)
        #expect(a == b)
    }
}
