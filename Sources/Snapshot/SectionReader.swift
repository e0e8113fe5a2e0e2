// The sections of a snapshot's file, found by its header and checked against their checksums.
//
// Header and length first: whatever is in the file, no read leaves it, and no section is believed that its checksum does not
// vouch for. Read next: Bytes.swift, Extents.swift.

import CSnapshot
import Host

/// The header and its sections.
struct SectionReader {
    let path: String
    let header: csnapshot_header

    /// Of a header that was checked before.
    init(_ path: String, _ header: csnapshot_header) { (self.path, self.header) = (path, header) }

    init(_ path: String, _ file: borrowing File, _ size: UInt64) throws(SnapshotError) {
        var header = csnapshot_header()
        let isWhole = try snapshotIO(try file.read(&header, at: 0))
        if header.magic != Format.magic { throw .foreign(path) }
        if !isWhole { throw .truncated(path, size: size, needed: UInt64(MemoryLayout<csnapshot_header>.size)) }
        if header.format > Format.version { throw .newer(path, format: header.format) }
        var summed = header
        summed.checksum = 0
        if checksum(of: summed) != header.checksum || header.format == 0
            || header.section_count > UInt32(CSNAPSHOT_SECTIONS)
        {
            throw .damaged(path, part: "header")
        }
        if size < header.file_size { throw .truncated(path, size: size, needed: header.file_size) }
        if size > header.file_size { throw .damaged(path, part: "length") }
        self.path = path
        self.header = header
        if unsafe withUnsafePointer(to: header, { unsafe csnapshot_has_unknown($0) }) != 0 {
            throw .newer(path, format: header.format)
        }
    }

    /// Whether there is a section of a kind that need not be there.
    func has(_ kind: SectionKind) -> Bool {
        var section = csnapshot_section()
        // Sound, here and below: the shim looks at one header, no further than its table.
        return unsafe withUnsafePointer(to: header) { unsafe csnapshot_find($0, kind.rawValue, &section) } > 0
    }

    /// The one section of a kind, inside the file.
    private func section(_ kind: SectionKind) throws(SnapshotError) -> csnapshot_section {
        var section = csnapshot_section()
        let count = unsafe withUnsafePointer(to: header) { unsafe csnapshot_find($0, kind.rawValue, &section) }
        guard count == 1, section.offset <= header.file_size, section.size <= header.file_size - section.offset
        else { throw .damaged(path, part: kind.name) }
        return section
    }

    func read<T: BitwiseCopyable>(_ value: inout T, _ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) {
        let section = try section(kind)
        guard section.size == UInt64(MemoryLayout<T>.size), try snapshotIO(try file.read(&value, at: section.offset)),
            checksum(of: value) == section.checksum
        else { throw .damaged(path, part: kind.name) }
    }

    func readBytes(_ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) -> Bytes {
        let section = try section(kind)
        guard section.size <= Format.largestSection,
            let bytes = try snapshotIO(try Bytes(file, at: section.offset, count: Int(section.size))),
            bytes.checksum == section.checksum
        else { throw .damaged(path, part: kind.name) }
        return bytes
    }

    func readText(_ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) -> String {
        let bytes = try readBytes(kind, file)
        guard bytes.count <= Int(Format.longestPath), let text = bytes.text else {
            throw .damaged(path, part: kind.name)
        }
        return text
    }

    func readGrowth(_ file: borrowing File) throws(SnapshotError) -> csnapshot_growth {
        var growth = csnapshot_growth()
        try read(&growth, .growth, file)
        return growth
    }

    func readIdentity(_ file: borrowing File) throws(SnapshotError) -> csnapshot_identity {
        var identity = csnapshot_identity()
        try read(&identity, .identity, file)
        return identity
    }
}
