// The program header table: what to load, which notes there are, and where the dynamic section lies.
//
// Read next: ELFRelocation.swift.

import CElf
import X86

/// The table's content, each entry checked by itself (gABI, "Program Header").
struct ProgramHeaders {
    var segments: [ELFSegment] = []
    var notes: [ELFNote] = []
    var dynamic: (offset: UInt64, size: UInt64)?

    init(_ elf: OpaquePointer, count: Int, _ fileSize: UInt64) throws(ImageError) {
        for index in 0..<count {
            var header = GElf_Phdr()
            guard unsafe gelf_getphdr(elf, Int32(index), &header) != nil else { throw .malformed(elfError()) }
            switch Int32(bitPattern: header.p_type) {
            case PT_LOAD where header.p_memsz > 0: segments.append(try loadable(header, index, fileSize))
            case PT_NOTE: notes += try unsafe readNotes(elf, header, fileSize)
            case PT_INTERP: throw .dynamicallyLinked("it asks for a program interpreter")
            case PT_DYNAMIC:
                try checkInFile(header, "the dynamic section", fileSize)
                dynamic = (header.p_offset, header.p_filesz)
            default: continue
            }
        }
        segments.sort { $0.address < $1.address }
    }
}

private func checkInFile(_ header: GElf_Phdr, _ what: String, _ fileSize: UInt64) throws(ImageError) {
    let (end, overflow) = header.p_offset.addingReportingOverflow(header.p_filesz)
    if overflow || end > UInt64(Int64.max) { throw .malformed("\(what) at file offset \(hex(header.p_offset))") }
    if end > fileSize { throw .truncated(what: what, needed: end, size: fileSize) }
}

private func loadable(_ header: GElf_Phdr, _ index: Int, _ fileSize: UInt64) throws(ImageError) -> ELFSegment {
    try checkInFile(header, "segment \(index)", fileSize)
    if header.p_filesz > header.p_memsz { throw .malformed("segment \(index) is longer in the file than in memory") }
    // Addresses stay below 2^47, so that no later sum of an address, a size and a bias can wrap.
    let limit: UInt64 = 1 << 47
    if header.p_vaddr >= limit || header.p_memsz >= limit - header.p_vaddr { throw .segmentOverflow(index: index) }
    let writable = header.p_flags & UInt32(PF_W) != 0
    let executable = header.p_flags & UInt32(PF_X) != 0
    if writable && executable { throw .writableAndExecutable(header.p_vaddr) }
    return ELFSegment(
        address: header.p_vaddr, memorySize: header.p_memsz, offset: header.p_offset, fileSize: header.p_filesz,
        flags: executable ? .code : writable ? .data : .readOnly)
}

private func readNotes(
    _ elf: OpaquePointer, _ header: GElf_Phdr, _ fileSize: UInt64
) throws(ImageError) -> [ELFNote] {
    try checkInFile(header, "a note segment", fileSize)
    if header.p_filesz == 0 { return [] }
    if header.p_filesz > 1 << 20 { throw .malformed("a note segment of \(header.p_filesz) bytes") }
    let type = header.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
    guard let data = unsafe elf_getdata_rawchunk(elf, Int64(header.p_offset), Int(header.p_filesz), type),
        let bytes = unsafe data.pointee.d_buf
    else { throw .malformed(elfError()) }
    let size = unsafe data.pointee.d_size
    var notes: [ELFNote] = []
    var offset = 0
    while offset < size {
        var note = GElf_Nhdr()
        var name = 0
        var descriptor = 0
        // gelf_getnote checks that name and descriptor lie inside the data, and returns 0 if not.
        let next = unsafe gelf_getnote(data, offset, &note, &name, &descriptor)
        if next == 0 { throw .malformed("a note that does not fit into its segment") }
        let owner = unsafe UnsafeRawBufferPointer(start: bytes + name, count: max(0, Int(note.n_namesz) - 1))
        let content = unsafe UnsafeRawBufferPointer(start: bytes + descriptor, count: Int(note.n_descsz))
        unsafe notes.append(
            ELFNote(owner: String(decoding: owner, as: UTF8.self), type: note.n_type, descriptor: [UInt8](content)))
        offset = next
    }
    return notes
}
