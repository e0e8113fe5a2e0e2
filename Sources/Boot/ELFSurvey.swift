// What an ELF file says of itself, whether or not it could run: for `swiftlet inspect`, never for loading.
//
// ELFImage stops at the first rule that a file breaks. This reads what it can, of any class, byte order and machine,
// and leaves out what does not lie inside the file: libelf checks headers, sections and strings, we check the rest.
// Read next: swiftlet-inspect/Inspection.swift.

import CElf

/// A program header as the file has it.
public struct ELFProgramHeader: Equatable, Sendable {
    /// `PT_...`
    public var type: UInt32
    /// `PF_...`: 4 read, 2 write, 1 execute.
    public var flags: UInt32
    public var offset: UInt64
    public var address: UInt64
    public var physicalAddress: UInt64
    public var fileSize: UInt64
    public var memorySize: UInt64
    public var alignment: UInt64
}

/// The claims of an ELF file.
public struct ELFSurvey: Sendable {
    public let is64Bit: Bool
    public let isLittleEndian: Bool
    /// `ET_...`
    public let type: UInt16
    /// `EM_...`
    public let machine: UInt16
    public let entry: UInt64
    public let entrySymbol: SymbolPlace?
    /// As many as the file claims; `headers` holds at most 256 of them.
    public let headerCount: Int
    public let headers: [ELFProgramHeader]
    public let notes: [ELFNote]
    public let kind: ImageKind

    /// Nil when libelf does not take the file for an ELF. The descriptor is only used in here.
    public init?(fd: Int32, fileSize: UInt64) {
        elf_version(UInt32(EV_CURRENT))
        guard let elf = unsafe elf_begin(fd, ELF_C_READ, nil) else { return nil }
        defer { unsafe elf_end(elf) }
        var header = GElf_Ehdr()
        guard unsafe elf_kind(elf) == ELF_K_ELF, unsafe gelf_getehdr(elf, &header) != nil else { return nil }
        is64Bit = unsafe gelf_getclass(elf) == ELFCLASS64
        isLittleEndian = header.e_ident.5 == UInt8(ELFDATA2LSB)  // EI_DATA
        type = header.e_type
        machine = header.e_machine
        entry = header.e_entry
        entrySymbol = unsafe SymbolSearch(elf).symbol(at: header.e_entry)
        headerCount = Int(header.e_phnum)
        let table = unsafe programHeaders(elf, count: headerCount)
        headers = table.map {
            ELFProgramHeader(
                type: $0.p_type, flags: $0.p_flags, offset: $0.p_offset, address: $0.p_vaddr,
                physicalAddress: $0.p_paddr, fileSize: $0.p_filesz, memorySize: $0.p_memsz, alignment: $0.p_align)
        }
        notes = unsafe readableNotes(elf, table, fileSize)
        let head = try? readHead(fd, fileSize, limit: 32768)
        kind = ImageKind.recognise(notes: notes, head: head ?? [], type: header.e_type)
    }
}

private func programHeaders(_ elf: OpaquePointer, count: Int) -> [GElf_Phdr] {
    var list: [GElf_Phdr] = []
    for index in 0..<min(count, 256) {
        var header = GElf_Phdr()
        guard unsafe gelf_getphdr(elf, Int32(index), &header) != nil else { break }
        list.append(header)
    }
    return list
}

/// The notes of each segment that has only whole ones; at most 1000.
private func readableNotes(_ elf: OpaquePointer, _ table: [GElf_Phdr], _ fileSize: UInt64) -> [ELFNote] {
    var notes: [ELFNote] = []
    for header in table where Int32(bitPattern: header.p_type) == PT_NOTE && notes.count < 1000 {
        let found = try? unsafe readNotes(elf, header, fileSize)
        notes += (found ?? []).prefix(1000)
    }
    return Array(notes.prefix(1000))
}
