// The program header table: what to load, which notes there are, and where the dynamic section lies.
//
// Read next: ELFNotes.swift.

import CElf
import X86

/// The table's content, each entry checked by itself (gABI, "Program Header").
struct ProgramHeaders {
    var segments = ELFSegments()
    var swiftletNote: SwiftletNote?
    var declaresDevices = false
    /// Whether there is a note of Solo5's.
    var isSolo5 = false
    var dynamic: (offset: UInt64, size: UInt64)?

    init(_ elf: OpaquePointer, count: Int, _ fileSize: UInt64) throws(ImageError) {
        var (noteBytes, hasInterpreter): (UInt64, Bool) = (0, false)
        for index in 0..<count {
            var header = GElf_Phdr()
            guard unsafe gelf_getphdr(elf, Int32(index), &header) != nil else { throw .malformed(elfError()) }
            switch Int32(bitPattern: header.p_type) {
            case PT_LOAD where header.p_memsz > 0: try add(try loadable(header, index, fileSize))
            case PT_NOTE:
                try unsafe visitNotes(elf, header, fileSize) { owner, type, descriptor in
                    if isDeviceNote(owner, type) { declaresDevices = true }
                    if swiftletNote != nil { return }
                    isSolo5 = isSolo5 || isSolo5Owner(owner)
                    swiftletNote = SwiftletNote(owner: owner, type: type, descriptor: descriptor)
                }
                noteBytes += header.p_filesz
                if noteBytes > maximumNoteBytes { throw .malformed("note segments of more than 1 MiB") }
            // A unikernel of Solo5's names one that no host has, so that a host does not run it.
            case PT_INTERP: hasInterpreter = true
            case PT_DYNAMIC where header.p_filesz > 0:
                try checkInFile(header, "the dynamic section", fileSize)
                if header.p_filesz > 1 << 20 { throw .malformed("a dynamic section of \(header.p_filesz) bytes") }
                dynamic = (header.p_offset, header.p_filesz)
            default: continue
            }
        }
        if hasInterpreter, !isSolo5 { throw .dynamicallyLinked("it asks for a program interpreter") }
    }

    /// Keeps the segments sorted by address.
    private mutating func add(_ segment: ELFSegment) throws(ImageError) {
        guard segments.append(segment) else { throw .malformed("more than \(segments.count) segments to load") }
        var place = segments.count - 1
        while place > 0, segments[place - 1].address > segment.address {
            segments[place] = segments[place - 1]
            place -= 1
        }
        segments[place] = segment
    }
}

func checkInFile(
    _ header: GElf_Phdr, _ what: @autoclosure () -> String, _ fileSize: UInt64
) throws(ImageError) {
    if header.p_filesz == 0 { return }  // nothing of the file is meant, wherever the offset points
    let (end, overflow) = header.p_offset.addingReportingOverflow(header.p_filesz)
    if overflow || end > UInt64(Int64.max) { throw .malformed("\(what()) at file offset \(hex(header.p_offset))") }
    if end > fileSize { throw .truncated(what: what(), needed: end, size: fileSize) }
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
    let alignment = max(header.p_align, 1)
    if alignment & (alignment - 1) != 0 || alignment > 1 << 30 {
        throw .malformed("segment \(index) is aligned to \(hex(alignment)), which is no power of two up to 1 GiB")
    }
    if header.p_vaddr % alignment != header.p_offset % alignment {
        throw .malformed("segment \(index): its address and file offset differ modulo its alignment \(hex(alignment))")
    }
    return ELFSegment(
        address: header.p_vaddr, memorySize: header.p_memsz, offset: header.p_offset, fileSize: header.p_filesz,
        flags: executable ? .code : writable ? .data : .readOnly, alignment: alignment)
}
