// A position-independent image: where it goes, which of its words change, and tables that lead astray.
//
// Read next: LayoutTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct ELFRelocationTests {
    private func refusal(
        _ table: [(place: UInt64, type: UInt64, addend: UInt64)], dynamic: [(UInt64, UInt64)]? = nil
    ) -> ImageError? {
        BootTests.refusal(
            of: ELFBuilder.movableGuest(relocations: ELFBuilder.relocations(table), dynamic: dynamic).build())
    }

    @Test func wordsAreMovedWithTheImage() throws {
        let booted = try BootedImage(ELFBuilder.movableGuest().build())
        #expect(booted.guest.bias == AddressMap.imageStart)
        #expect(booted.guest.entry == AddressMap.imageStart + 0x10)
        #expect(booted.state.rip == booted.guest.entry)
        let data = AddressMap.imageStart + 0x2000
        #expect(booted.read(data) == AddressMap.imageStart + 0x10 as UInt64)
        #expect(booted.read(data + 8) == AddressMap.imageStart + 0x2000 as UInt64)
        #expect(booted.read(data + 16) == UInt64.max, "R_X86_64_NONE changes nothing")
    }

    @Test func imageLinkedHighGoesDown() throws {
        var builder = ELFBuilder.movableGuest()
        let start: UInt64 = 0x7fff_0000_0000
        for index in 0..<3 { builder.segments[index].address += start }
        builder.entry += start
        builder.segments[1].content = ELFBuilder.relocations([(start + 0x2000, 8, start + 0x10)])
        builder.segments[4] = ELFBuilder.dynamic([(7, start + 0x1000), (8, 24), (9, 24)])
        let booted = try BootedImage(builder.build())
        #expect(booted.guest.entry == AddressMap.imageStart + 0x10)
        #expect(booted.read(AddressMap.imageStart + 0x2000) == AddressMap.imageStart + 0x10 as UInt64)
    }

    @Test func addendsWrapAsTheCPUsWould() throws {
        let table = ELFBuilder.relocations([(0x2000, 8, .max)])
        let booted = try BootedImage(ELFBuilder.movableGuest(relocations: table).build())
        #expect(booted.read(AddressMap.imageStart + 0x2000) == AddressMap.imageStart - 1 as UInt64)
    }

    @Test func lastWordOfASegmentIsStillInside() {
        #expect(refusal([(0x20f8, 8, 0)]) == nil, "in the zeroed part")
        #expect(refusal([(0x20f9, 8, 0)]) == .malformed("a relocation of 0x20f9, outside its segments"))
    }

    @Test(arguments: [0x1ff9, 0x3000, 0x30_0000, 1 << 47, UInt64.max, UInt64.max - 0x3_ffff])
    func placesOutside(place: UInt64) { #expect(refusal([(place, 8, 0)])?.isReadable == true) }

    @Test(arguments: [1, 6, 7, 37, 0xffff_ffff] as [UInt64])
    func onlyRelativeOnes(type: UInt64) { #expect(refusal([(0x2000, type, 0)]) == .relocation(type: UInt32(type))) }

    @Test func symbolOfARelativeRelocationIsIgnored() {
        #expect(refusal([(0x2000, 8 | 5 << 32, 0)]) == nil)
    }

    @Test func relocationOfItsOwnTableEnds() {
        #expect(refusal([(0x1008, 8, 0), (0x1000, 8, 0), (0x1018, 8, 0)])?.isReadable != false)
    }

    private static let dynamicSections: [([(UInt64, UInt64)], ImageError?)] = [
        ([], nil),
        ([(7, 0x1000), (8, 0), (9, 24)], nil),
        ([(8, 24), (9, 24)], .relocation(type: 0x9090_9090)),  // at 0: code
        ([(7, 0x1000), (8, 24), (9, 16)], .malformed("relocation entries of 16 bytes")),
        ([(7, 0x1000), (8, 24), (9, 0)], .malformed("relocation entries of 0 bytes")),
        ([(7, 0x1000), (8, 1 << 30 + 1), (9, 24)], .malformed("a relocation table of 1073741825 bytes")),
        ([(7, 0x1000), (8, .max), (9, 24)], .malformed("a relocation table of \(UInt64.max) bytes")),
        ([(7, 0x80_0000), (8, 24), (9, 24)], .malformed("its relocation table lies outside its segments")),
        ([(7, .max - 0x4_0000), (8, 240), (9, 24)], .malformed("its relocation table lies outside its segments")),
        ([(1, 5)], .dynamicallyLinked("it needs a shared library")),
        ([(17, 0x1000)], .malformed("relocations other than DT_RELA: link with -z now -static-pie")),
        ([(23, 0x1000)], .malformed("relocations other than DT_RELA: link with -z now -static-pie")),
        ([(36, 0x1000)], .malformed("packed relocations (DT_RELR): link with -z nopack-relative-relocs")),
        ([(0, 0), (1, 5)], nil),  // behind the end of the section
        ([(0x6fff_fef5, 0), (30, 8)], nil),  // DT_GNU_HASH, DT_FLAGS
    ]

    @Test(arguments: dynamicSections.indices)
    func dynamicSectionIsChecked(index: Int) {
        let (entries, error) = Self.dynamicSections[index]
        #expect(refusal([(0x2000, 8, 0)], dynamic: entries) == error)
    }

    @Test func dynamicSectionWithoutAnEnd() {
        var builder = ELFBuilder.movableGuest()
        builder.segments[4].content.removeLast(16)
        #expect(BootTests.refusal(of: builder.build()) == nil)
        builder.segments[4].content.removeLast(7)
        #expect(BootTests.refusal(of: builder.build())?.isReadable != false)
    }

    @Test func emptyDynamicSection() {
        var builder = ELFBuilder.movableGuest()
        builder.segments[4].content = []
        var image = builder.build()
        #expect(BootTests.refusal(of: image) == nil)
        // Nothing of the file is meant, wherever p_offset (gABI, "Program Header") points: here above any off_t.
        image.replaceSubrange(
            ELFBuilder.headerSize + 4 * 56 + 8..<ELFBuilder.headerSize + 4 * 56 + 16,
            with: [UInt8](repeating: 0xbc, count: 8))
        #expect(BootTests.refusal(of: image) == nil)
    }

    /// A sparse file can be large for nothing: its dynamic section is not read whole.
    @Test func dynamicSectionOfAMegabyteAndMore() {
        var builder = ELFBuilder.movableGuest()
        builder.segments[4].content = [UInt8](repeating: 0, count: 2 << 20)
        #expect(BootTests.refusal(of: builder.build()) == .malformed("a dynamic section of 2097152 bytes"))
    }

    @Test func fixedImageMayBeRelocatedToo() throws {
        var builder = ELFBuilder.movableGuest()
        builder.type = 2
        for index in 0..<3 { builder.segments[index].address += 0x4_0000 }
        builder.entry += 0x4_0000
        builder.segments[1].content = ELFBuilder.relocations([(0x4_2000, 8, 0x4_0010)])
        builder.segments[4] = ELFBuilder.dynamic([(7, 0x4_1000), (8, 24), (9, 24)])
        let booted = try BootedImage(builder.build())
        #expect(booted.guest.bias == 0)
        #expect(booted.read(0x4_2000) == 0x4_0010 as UInt64)
    }
}
