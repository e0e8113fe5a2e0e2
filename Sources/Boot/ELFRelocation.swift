// What a static-PIE needs before it runs: its relative relocations, applied by the loader.
//
// Only R_X86_64_RELATIVE: anything else would need symbols, and so a dynamic linker (x86-64 psABI, table 4.9).
// Read next: RingThree.swift.

import CElf
import GuestMemory

extension ELFImage {
    /// Applies the relocations that the dynamic section names, in guest memory.
    func relocate(in memory: borrowing GuestMemory, bias: UInt64) throws(ImageError) {
        guard let dynamic else { return }
        let table = try RelocationTable(entries: dynamicEntries(dynamic))
        guard table.size > 0 else { return }
        guard table.entrySize == 24 else { throw .malformed("relocation entries of \(table.entrySize) bytes") }
        for index in 0..<table.size / 24 {
            // Read from guest memory, where a segment has brought them: the gate checks each address.
            let place = GuestAddress(table.address &+ bias &+ index &* 24)
            guard let entry = memory.read(place, as: Elf64_Rela.self) else {
                throw .malformed("its relocation table lies outside its segments")
            }
            try apply(entry, memory, bias)
        }
    }

    private func apply(_ entry: Elf64_Rela, _ memory: borrowing GuestMemory, _ bias: UInt64) throws(ImageError) {
        switch UInt32(truncatingIfNeeded: entry.r_info) {
        case UInt32(R_X86_64_NONE): return
        case UInt32(R_X86_64_RELATIVE):
            let inside = segments.contains {
                entry.r_offset >= $0.address && $0.memorySize >= 8 && entry.r_offset - $0.address <= $0.memorySize - 8
            }
            let value = UInt64(bitPattern: entry.r_addend) &+ bias
            guard inside, memory.write(value, at: GuestAddress(entry.r_offset &+ bias)) else {
                throw .malformed("a relocation of \(hex(entry.r_offset)), outside its segments")
            }
        case let type: throw .relocation(type: type)
        }
    }

    /// The dynamic section's tags and values.
    private func dynamicEntries(_ section: (offset: UInt64, size: UInt64)) throws(ImageError) -> [(Int64, UInt64)] {
        guard
            let data = unsafe elf_getdata_rawchunk(elf, Int64(section.offset), Int(section.size), ELF_T_DYN)
        else { throw .malformed(elfError()) }
        var entries: [(Int64, UInt64)] = []
        for index in 0..<Int32(clamping: section.size / 16) {
            var entry = GElf_Dyn()
            guard unsafe gelf_getdyn(data, index, &entry) != nil, entry.d_tag != Int64(DT_NULL) else { break }
            unsafe entries.append((entry.d_tag, entry.d_un.d_val))
        }
        return entries
    }
}

/// Where the relocations are, by the dynamic section's tags.
private struct RelocationTable {
    var address: UInt64 = 0
    var size: UInt64 = 0
    var entrySize: UInt64 = 24

    init(entries: [(Int64, UInt64)]) throws(ImageError) {
        for (tag, value) in entries {
            switch tag {
            case Int64(DT_RELA): address = value
            case Int64(DT_RELASZ): size = value
            case Int64(DT_RELAENT): entrySize = value
            case Int64(DT_NEEDED): throw .dynamicallyLinked("it needs a shared library")
            case Int64(DT_REL), Int64(DT_JMPREL):
                throw .malformed("relocations other than DT_RELA: link with -z now -static-pie")
            case 35, 36: throw .malformed("packed relocations (DT_RELR): link with -z nopack-relative-relocs")
            default: continue
            }
        }
        if size > 1 << 30 { throw .malformed("a relocation table of \(size) bytes") }
    }
}
