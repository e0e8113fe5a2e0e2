// What an ELF file claims of itself, in the gABI's words: type, machine, entry, program headers, notes.
//
// Claims, because nothing of it is checked here. Read next: ELFNames.swift, NoteMeaning.swift.

import Boot

struct Claims: Encodable, Equatable, Sendable {
    struct Segment: Encodable, Equatable, Sendable {
        var type: String
        /// As `ls` writes them: "r-x".
        var access: String
        var address: UInt64
        var memorySize: UInt64
        var offset: UInt64
        var fileSize: UInt64
        var alignment: UInt64
    }

    struct Note: Encodable, Equatable, Sendable {
        var owner: String
        var type: UInt32
        /// Bytes of its descriptor.
        var size: Int
        var meaning: String
    }

    /// 32 or 64.
    var bits: Int
    var byteOrder: String
    var type: String
    var machine: String
    var entry: UInt64
    /// The symbol that the entry lies in, "main+0x13" or just its name.
    var entrySymbol: String?
    var segments: [Segment]
    /// Program headers that are not in `segments`: those behind the 256th, and those that lie outside the file.
    var segmentsLeftOut: Int
    var notes: [Note]

    init(_ survey: ELFSurvey) {
        bits = survey.is64Bit ? 64 : 32
        byteOrder = survey.isLittleEndian ? "little-endian" : "big-endian"
        type = ELFNames.type(survey.type)
        machine = ELFNames.machine(survey.machine)
        entry = survey.entry
        entrySymbol = survey.entrySymbol.map { $0.offset == 0 ? $0.name : $0.description }
        segments = survey.headers.map { header in
            Segment(
                type: ELFNames.header(header.type), access: ELFNames.access(header.flags), address: header.address,
                memorySize: header.memorySize, offset: header.offset, fileSize: header.fileSize,
                alignment: header.alignment)
        }
        segmentsLeftOut = survey.headerCount - survey.headers.count
        notes = survey.notes.map { note in
            Note(owner: note.owner, type: note.type, size: note.descriptor.count, meaning: note.meaning)
        }
    }
}
