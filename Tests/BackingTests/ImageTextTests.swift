// Segments that are mapped from the image's file, and those that are not.
//
// Read next: BusErrorTests.swift.

import GuestMemory
import TestSupport
import Testing
import X86

@testable import Backing
@testable import Boot

@Suite struct ImageTextTests {
    private static let size: UInt64 = 1 << 20 + 100
    private let content = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 >> 8 ^ $0) }

    private func segment(
        _ address: UInt64 = 0x4_0000, offset: UInt64 = 0x2000, size: UInt64 = size, _ flags: PageFlags = .readOnly
    ) -> ELFSegment {
        ELFSegment(address: address, memorySize: size + 50, offset: offset, fileSize: size, flags: flags)
    }

    @Test func wholePagesAreTheFilesAndZerosFollow() throws {
        let file = AnonymousFile(content)
        let memory = try GuestMemory(low: 0x1_0000..<4 << 20)
        let text = try ImageText([segment()], fd: file.fd, in: memory)
        #expect(text.mapped == 1)
        #expect(
            memory.bytes(GuestAddress(0x4_0000), Int(Self.size)) == Array(content[0x2000..<0x2000 + Int(Self.size)]))
        #expect(memory.bytes(GuestAddress(0x4_0000 + Self.size), 8000)?.allSatisfy { $0 == 0 } == true)
        let base = UInt64(memory.hostBase)
        #expect(PageScan()?.count(base + 0x4_0000..<base + 0x4_0000 + 1 << 20)?.anonymous == 0, "nothing was copied")
        memory.write(UInt8(99), at: GuestAddress(0x4_0000))
        #expect(PageScan()?.count(base + 0x4_0000..<base + 0x4_0000 + 1 << 20)?.anonymous == 4096)
        #expect(try Boot.readHead(file.fd, 3 << 20, limit: 0x2001).last == content[0x2000], "the file stays as it is")
        #expect(text.isCutShort == false)
        file.shorten(to: Int(0x2000 + Self.size) - 1)
        #expect(text.isCutShort == true)
    }

    @Test func whatCannotOrNeedNotBeMappedIsLeftToTheLoader() throws {
        let file = AnonymousFile(content)
        let memory = try GuestMemory(low: 0x1_0000..<4 << 20)
        let others: [ELFSegment] = [
            segment(.data), segment(size: ImageText.smallest - 1), segment(0x4_0800, offset: 0x2800),
            segment(0x4_0000, offset: 0x2001), segment(4 << 20), segment(1 << 40),
        ]
        for other in others {
            let text = try ImageText([other], fd: file.fd, in: memory)
            #expect(text.mapped == 0)
            #expect(text.isCutShort == false)
        }
        let text = try ImageText([others[0], segment(), others[1]], fd: file.fd, in: memory)
        #expect(text.mapped == 2)
    }
}

extension ImageTextTests {
    private func segment(_ flags: PageFlags) -> ELFSegment { segment(0x4_0000, flags) }
}
