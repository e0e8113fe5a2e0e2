// The note that makes an image a Swiftlet guest: found among others, checked, and damaged in every way.
//
// Read next: ELFRelocationTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct ELFNoteTests {
    private func refusal(ofNote note: [UInt8], alignment: UInt64 = 4) -> ImageError? {
        var builder = ELFBuilder.guest()
        builder.segments[1] = ELFBuilder.noteSegment(note, alignment: alignment)
        return BootTests.refusal(of: builder.build())
    }

    private let good = ELFBuilder.swiftletNote()
    private let other = ELFBuilder.note(owner: "GNU", type: 3, [UInt8](repeating: 1, count: 20))

    @Test func noteIsFoundAmongOthers() {
        #expect(refusal(ofNote: good) == nil)
        #expect(refusal(ofNote: other + good + other) == nil)
        #expect(refusal(ofNote: ELFBuilder.note(owner: "", type: 0, []) + good) == nil)
        #expect(refusal(ofNote: ELFBuilder.note(owner: "Swiftlet", type: 2, []) + good) == nil)
        #expect(refusal(ofNote: ELFBuilder.note(owner: "SwiftletX", type: 1, []) + good) == nil)
    }

    @Test func noteMayLieInItsOwnSegment() {
        var builder = ELFBuilder.guest(note: other)
        builder.segments.append(ELFBuilder.noteSegment(good))
        #expect(BootTests.refusal(of: builder.build()) == nil)
    }

    /// Notes of 8-byte alignment are what newer binutils make of .note.gnu.property; ours is 4-aligned.
    @Test func alignmentOfEight() {
        var note = ELFBuilder.note([1, 0, 0, 0, 1, 0, 0, 0])
        note.pad(to: 8)
        #expect(refusal(ofNote: note, alignment: 8) == nil)
    }

    @Test func imageWithoutANoteIsSomebodyElses() {
        var builder = ELFBuilder.guest()
        builder.segments.removeLast()
        #expect(BootTests.refusal(of: builder.build()) == .noNote(.elf))
        #expect(refusal(ofNote: []) == .noNote(.elf))
        #expect(refusal(ofNote: other) == .noNote(.elf))
        #expect(refusal(ofNote: ELFBuilder.note(owner: "Swiftlet", type: 2, [])) == .noNote(.elf))
        #expect(refusal(ofNote: ELFBuilder.note(owner: "swiftlet", [1, 0, 0, 0, 1, 0, 0, 0])) == .noNote(.elf))
        #expect(refusal(ofNote: ELFBuilder.note(owner: "Solo5", type: 0x3154_4e42, [0])) == .noNote(.solo5))
        #expect(refusal(ofNote: ELFBuilder.note(owner: "Xen", type: 18, [0, 0, 0, 0])) == .noNote(.pvh))
    }

    @Test func versionAndFlagsAreChecked() {
        #expect(refusal(ofNote: ELFBuilder.swiftletNote(version: 2)) == .newerABI(image: 2, ours: 1))
        #expect(refusal(ofNote: ELFBuilder.swiftletNote(version: .max)) == .newerABI(image: .max, ours: 1))
        #expect(
            refusal(ofNote: ELFBuilder.swiftletNote(version: 0)) == .malformed("a Swiftlet note with ABI version 0"))
        #expect(refusal(ofNote: ELFBuilder.swiftletNote(flags: 3)) == .unknownFlags(2))
        #expect(refusal(ofNote: ELFBuilder.swiftletNote(flags: 0x8000_0001)) == .unknownFlags(0x8000_0000))
        #expect(
            refusal(ofNote: ELFBuilder.swiftletNote(flags: 0))
                == .malformed("a Swiftlet note without SWIFTLET_NOTE_RING3"))
    }

    @Test(arguments: [0, 1, 4, 7, 9, 12, 100])
    func descriptorOfAnotherSize(size: Int) {
        let note = ELFBuilder.note([UInt8](repeating: 1, count: size))
        #expect(refusal(ofNote: note) == .malformed("a Swiftlet note of \(size) bytes"))
    }

    @Test func noteThatIsCutShort() {
        for size in 1..<good.count { #expect(refusal(ofNote: Array(good[..<size]))?.isReadable == true) }
        for size in 1..<12 { #expect(refusal(ofNote: other + Array(good[..<size]))?.isReadable == true) }
    }

    @Test(arguments: [0, 4], [9, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff] as [UInt32])
    func sizesThatLeadOutOfTheSegment(field: Int, value: UInt32) {
        var note = good
        note.patch(field, value)
        if note == good { return }
        #expect(refusal(ofNote: note)?.isReadable == true)
    }

    @Test func segmentOfMoreThanAMegabyte() {
        let error = refusal(ofNote: [UInt8](repeating: 0, count: 1 << 20 + 4))
        #expect(error == .malformed("a note segment of 1048580 bytes"))
    }

    /// Thousands of headers that point at one megabyte: a small file that would take gigabytes to read.
    @Test func manySegmentsOfNotes() {
        var builder = ELFBuilder.guest()
        let content = ELFBuilder.note(owner: "GNU", [UInt8](repeating: 0, count: 1 << 19))
        builder.segments.append(ELFBuilder.noteSegment(content))
        let last = builder.segments.count - 1
        for _ in 0..<2000 { builder.segments.append(ELFBuilder.noteSegment([])) }
        var bytes = builder.build()
        let headers = ELFBuilder.programHeader(last)
        let header = Array(bytes[headers..<headers + 56])
        for index in 1...2000 { bytes.replaceSubrange(headers + index * 56..<headers + index * 56 + 56, with: header) }
        let error = BootTests.refusal(of: bytes)
        #expect(error == .malformed("note segments of more than 1 MiB"))
    }
}
