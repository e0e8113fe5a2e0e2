// A snapshot's file is written here: header, sections, and from the next page on the memory.
//
// Of a machine that is paused (Saving.swift) or of a chain that is folded into one file (Merging.swift). Read next: Saving.swift.

import CSnapshot
import Host
import VMM

/// What a file holds beside memory.
struct SnapshotParts {
    var machine: csnapshot_machine
    var vcpu: [UInt8]
    /// Of other vCPUs: OtherVCPUs.swift.
    var others: [UInt8] = []
    /// Its path.
    var image: [UInt8]
    /// Of memory that may grow, or has.
    var growth: csnapshot_growth?
    /// A csnapshot_parent and a file's name; empty for a file that stands alone.
    var parent: [UInt8] = []

    /// With 16 bytes for each, because it begins on a multiple of 16.
    fileprivate func size(extentCount: Int) -> Int {
        let fixed = MemoryLayout<csnapshot_machine>.size + vcpu.count + others.count + image.count + parent.count
        let tables = extentCount * Extents.stride + MemoryLayout<csnapshot_growth>.size + 16
        return fixed + tables + 16 * SectionKind.allCases.count
    }
}

/// A range of memory to be written.
struct SavedRange: Equatable {
    var range: Range<UInt64>
    /// It takes no room in the file: all of it is zero now, which the parent may not know.
    var isZero = false
}

/// A file as its child will know it.
struct WrittenFile {
    var identity = csnapshot_identity()
    var size: UInt64 = 0
    /// Of its header.
    var checksum: UInt32 = 0
    /// Of memory.
    var rangeCount = 0
}

/// Writes a snapshot in the place of a file that may be there: the old or the new one is there at any time. Memory begins at
/// `base` in our address space; `isCutShort` is asked when all of it was read.
func writeSnapshot(
    _ parts: SnapshotParts, _ ranges: [SavedRange], memory base: UInt, to path: String,
    unless isCutShort: () -> Bool = { false }
) throws(SnapshotError) -> WrittenFile {
    var new = try NewFile(path)
    var written = WrittenFile(rangeCount: ranges.count)
    let seed = try snapshotIO(try randomSeed())
    written.identity.words = (seed.0, seed.1)
    var writer = SectionWriter()
    let pieces = pieces(ranges)
    let start = (Format.page + UInt64(parts.size(extentCount: pieces.count)) + Format.page - 1) & ~(Format.page - 1)
    try snapshotIO(try writer.add(.machine, parts.machine, to: new.file))
    try snapshotIO(try writer.add(.vcpu, list: parts.vcpu, to: new.file))
    try snapshotIO(try writer.add(.image, list: parts.image, to: new.file))
    let extents = try snapshotIO(try writeMemory(pieces, base, to: new.file, at: start))
    try snapshotIO(try writer.add(.extents, list: extents, to: new.file))
    if let growth = parts.growth { try snapshotIO(try writer.add(.growth, growth, to: new.file)) }
    if !parts.others.isEmpty { try snapshotIO(try writer.add(.others, list: parts.others, to: new.file)) }
    if !parts.parent.isEmpty { try snapshotIO(try writer.add(.parent, list: parts.parent, to: new.file)) }
    try snapshotIO(try writer.add(.identity, written.identity, to: new.file))
    written.size = extents.last { $0.offset != 0 }.map { $0.offset + UInt64($0.size) } ?? start
    try snapshotIO(try new.file.truncate(written.size))
    if isCutShort() { throw .unsupported("a file under the guest's memory was cut short") }
    let isPlain = parts.growth == nil && parts.parent.isEmpty && parts.others.isEmpty
    written.checksum = try snapshotIO(
        try writer.finish(format: isPlain ? Format.plain : Format.version, fileSize: written.size, new.file))
    try new.publish()
    return written
}

/// In pieces of what one extent covers.
private func pieces(_ ranges: [SavedRange]) -> [SavedRange] {
    var pieces: [SavedRange] = []
    for saved in ranges {
        for start in stride(from: saved.range.lowerBound, to: saved.range.upperBound, by: Int(Format.largestExtent)) {
            let end = min(start + Format.largestExtent, saved.range.upperBound)
            pieces.append(SavedRange(range: start..<end, isZero: saved.isZero))
        }
    }
    return pieces
}

/// Writes the pieces one behind the other; where each lies, and its checksum.
private func writeMemory(
    _ pieces: [SavedRange], _ base: UInt, to file: borrowing File, at start: UInt64
) throws(HostError) -> [csnapshot_extent] {
    var extents: [csnapshot_extent] = []
    var offset = start
    for piece in pieces {
        let (address, size) = (piece.range.lowerBound, piece.range.upperBound - piece.range.lowerBound)
        var extent = csnapshot_extent(address: address, offset: 0, size: UInt32(size), checksum: 0)
        if !piece.isZero {
            let host = base + UInt(address)
            try file.write(address: host, size, at: offset)
            (extent.offset, extent.checksum) = (offset, checksum(at: host, size))
            offset += size
        }
        extents.append(extent)
    }
    return extents
}

/// The header, filled section by section.
private struct SectionWriter {
    private var header = csnapshot_header()
    private var next = Format.page

    mutating func add<T: BitwiseCopyable>(
        _ kind: SectionKind, _ value: T, to file: borrowing File
    ) throws(HostError) {
        try file.write(value: value, at: next)
        note(kind, size: MemoryLayout<T>.size, checksum(of: value))
    }

    mutating func add<T: BitwiseCopyable>(
        _ kind: SectionKind, list: [T], to file: borrowing File
    ) throws(HostError) {
        try file.write(list: list, at: next)
        note(kind, size: list.count * MemoryLayout<T>.stride, checksum(of: list))
    }

    private mutating func note(_ kind: SectionKind, size: Int, _ checksum: UInt32) {
        let section = csnapshot_section(kind: kind.rawValue, checksum: checksum, offset: next, size: UInt64(size))
        // Sound: the shim fills the next entry of the one header; there are more than there are kinds.
        _ = unsafe csnapshot_add(&header, section)
        next = (next + UInt64(size) + 15) & ~15
    }

    /// The header comes last: a file without one is none. Returns its checksum.
    mutating func finish(format: UInt32, fileSize: UInt64, _ file: borrowing File) throws(HostError) -> UInt32 {
        header.magic = Format.magic
        header.format = format
        header.file_size = fileSize
        header.created = UInt64(Clock.realtime().seconds)
        header.program = textWords("swiftlet \(swiftletVersion)")
        header.checksum = checksum(of: header)
        try file.write(value: header, at: 0)
        return header.checksum
    }
}

/// Up to 32 bytes of text, as words.
private func textWords(_ text: String) -> (UInt64, UInt64, UInt64, UInt64) {
    let bytes = Array(text.utf8.prefix(32))
    func word(_ index: Int) -> UInt64 {
        bytes.dropFirst(8 * index).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    return (word(0), word(1), word(2), word(3))
}
