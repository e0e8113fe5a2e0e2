// Notes: the small labelled records in which an ELF file says what it is (gABI, "Note Section").
//
// Loading looks for one, the Swiftlet note, and keeps eight bytes of it. Whoever wants them all (reports, `swiftlet
// inspect`) has them read again. Read next: ELFRelocation.swift.

import CABI
import CElf

/// A note: owner, type, descriptor.
public struct ELFNote: Equatable, Sendable {
    public var owner: String
    public var type: UInt32
    public var descriptor: [UInt8]
}

/// The note that makes an image a Swiftlet guest (CABI/swiftlet_note.h).
public struct SwiftletNote: Equatable, Sendable {
    /// Bytes of the descriptor: 8, or the note is damaged and what follows is zero.
    public var size: Int
    public var abiVersion: UInt32 = 0
    public var flags: UInt32 = 0

    /// Nil when this is another note.
    init?(owner: RawSpan, type: UInt32, descriptor: RawSpan) {
        guard type == UInt32(SWIFTLET_NOTE_TYPE), equal(owner, "Swiftlet") else { return nil }
        size = descriptor.byteCount
        if size == 8 {
            abiVersion = unsafe descriptor.unsafeLoadUnaligned(as: UInt32.self)
            flags = unsafe descriptor.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt32.self)
        }
    }
}

func isSolo5Owner(_ owner: RawSpan) -> Bool { equal(owner, "Solo5") }

private func equal(_ bytes: RawSpan, _ text: StaticString) -> Bool {
    guard bytes.byteCount == text.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.byteCount
    where unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) != text.utf8Start[index] { return false }
    return true
}

/// Of all note segments together: a guard against a small file whose many note segments are all the same megabyte.
let maximumNoteBytes: UInt64 = 1 << 20

/// Shows each note of a segment to `visit`.
func visitNotes(
    _ elf: OpaquePointer, _ header: GElf_Phdr, _ fileSize: UInt64,
    _ visit: (_ owner: RawSpan, _ type: UInt32, _ descriptor: RawSpan) -> Void
) throws(ImageError) {
    try checkInFile(header, "a note segment", fileSize)
    if header.p_filesz == 0 { return }
    if header.p_filesz > maximumNoteBytes { throw .malformed("a note segment of \(header.p_filesz) bytes") }
    let type = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
    guard let data = unsafe elf_getdata_rawchunk(elf, Int64(header.p_offset), Int(header.p_filesz), type),
        let bytes = unsafe data.pointee.d_buf
    else { throw .malformed(elfError()) }
    let size = unsafe data.pointee.d_size
    var offset = 0
    while offset < size {
        var note = GElf_Nhdr()
        var name = 0
        var descriptor = 0
        // gelf_getnote checks that name and descriptor lie inside the data, and returns 0 if not.
        let next = unsafe gelf_getnote(data, offset, &note, &name, &descriptor)
        if next == 0 { throw .malformed("a note does not fall within valid size: it leads out of its segment") }
        let owner = unsafe UnsafeRawBufferPointer(start: bytes + name, count: max(0, Int(note.n_namesz) - 1))
        let content = unsafe UnsafeRawBufferPointer(start: bytes + descriptor, count: Int(note.n_descsz))
        unsafe visit(owner.bytes, note.n_type, content.bytes)
        offset = next
    }
}

/// All notes of a segment.
func readNotes(_ elf: OpaquePointer, _ header: GElf_Phdr, _ fileSize: UInt64) throws(ImageError) -> [ELFNote] {
    var notes: [ELFNote] = []
    try unsafe visitNotes(elf, header, fileSize) { owner, type, descriptor in
        let name = unsafe owner.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        let content = unsafe descriptor.withUnsafeBytes { unsafe [UInt8]($0) }
        notes.append(ELFNote(owner: name, type: type, descriptor: content))
    }
    return notes
}

extension ELFImage {
    /// All notes, read again: they were found well-formed.
    public var notes: [ELFNote] {
        var notes: [ELFNote] = []
        var count = 0
        _ = unsafe elf_getphdrnum(elf, &count)
        for index in 0..<Int32(clamping: count) {
            var header = GElf_Phdr()
            guard unsafe gelf_getphdr(elf, index, &header) != nil else { break }
            if Int32(bitPattern: header.p_type) != PT_NOTE { continue }
            notes += (try? unsafe readNotes(elf, header, fileSize)) ?? []
        }
        return notes
    }
}
