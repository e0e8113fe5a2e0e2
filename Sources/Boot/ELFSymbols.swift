// From an address to a symbol: what crash reports name. Read only when a guest has crashed, never at start-up.
//
// Read next: ELFSurvey.swift, RingThree.swift.

import CElf

/// A symbol and how far behind its start an address lies.
public struct SymbolPlace: Equatable, Sendable {
    public var name: String
    public var offset: UInt64

    /// "main+0x13"
    public var description: String { "\(name)+\(hex(offset))" }
}

extension ELFImage {
    /// The function or object that `address` (as linked: without bias) lies in, from the image's own symbol table.
    public func symbol(at address: UInt64) -> SymbolPlace? {
        unsafe SymbolSearch(elf).symbol(at: address)
    }
}

/// The symbol tables of an ELF file, checked image or not.
@safe struct SymbolSearch {
    private let elf: OpaquePointer

    init(_ elf: OpaquePointer) { unsafe self.elf = elf }

    func symbol(at address: UInt64) -> SymbolPlace? {
        var best: (name: String, value: UInt64, size: UInt64)?
        var section = unsafe elf_nextscn(elf, nil)
        while let current = unsafe section {
            unsafe findSymbol(at: address, in: current, &best)
            unsafe section = elf_nextscn(elf, current)
        }
        guard let best, best.size == 0 || address - best.value < best.size else { return nil }
        return SymbolPlace(name: best.name, offset: address - best.value)
    }

    private func findSymbol(
        at address: UInt64, in section: OpaquePointer, _ best: inout (name: String, value: UInt64, size: UInt64)?
    ) {
        var header = GElf_Shdr()
        guard unsafe gelf_getshdr(section, &header) != nil, header.sh_type == UInt32(SHT_SYMTAB),
            let data = unsafe elf_getdata(section, nil), header.sh_entsize == 24 || header.sh_entsize == 16
        else { return }
        for index in 0..<Int32(clamping: header.sh_size / header.sh_entsize) {
            var symbol = GElf_Sym()
            guard unsafe gelf_getsym(data, index, &symbol) != nil else { return }
            let type = Int32(symbol.st_info & 0xf)
            guard type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE, symbol.st_shndx != UInt16(SHN_UNDEF),
                symbol.st_shndx < UInt16(SHN_LORESERVE), symbol.st_value <= address,
                symbol.st_value >= best?.value ?? 0,
                let name = unsafe elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name)),
                unsafe name.pointee != 0
            else { continue }
            best = unsafe (String(cString: name), symbol.st_value, symbol.st_size)
        }
    }
}
