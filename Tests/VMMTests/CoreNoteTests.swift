// The note by which a core is walked: what was written is read, and nothing else.
//
// Read next: Sources/VMM/Looking/CoreNote.swift.

import Testing
import X86

@testable import VMM

@Suite struct CoreNoteTests {
    /// Registers, one slot, one region, as the note has them.
    private static let words: [UInt64] = [
        1, CR0.ring3, 0x5_4000, CR4.ring3, EFER.ring3, 40, 0xdead, 0x4_0000, 0x5_3ff8, 3, 0x5_5000, 1, 1,
        1, 0x1_0000, 0x400_0000, 0, 0x4_0000, 0x4_3000, 4,
    ]

    @Test func whatWasWrittenIsRead() throws {
        let note = try #require(CoreNote(words: Self.words))
        #expect(
            note.paging
                == PagingState(cr0: CR0.ring3, cr3: 0x5_4000, cr4: CR4.ring3, efer: EFER.ring3, physicalBits: 40))
        #expect((note.cr2, note.rip, note.rsp, note.firstRoot) == (0xdead, 0x4_0000, 0x5_3ff8, 0x5_5000))
        #expect(note.isUser && note.registersAreLost)
        #expect(note.map.slot(of: 0x1_0000)?.index == 1 && note.map.slot(of: 0xffff) == nil)
        #expect(note.words == Self.words)
    }

    @Test(
        arguments: [
            (0, 2), (11, 0), (11, 2), (11, .max), (12, 0), (12, 1 << 63), (15, 0x1_0000), (18, 0x4_0000),
        ] as [(Int, UInt64)])
    func whatMakesNoSenseIsNone(index: Int, value: UInt64) {
        var words = Self.words
        words[index] = value
        #expect(CoreNote(words: words) == nil)
        #expect(CoreNote(words: Array(Self.words.prefix(index))) == nil)
    }
}
