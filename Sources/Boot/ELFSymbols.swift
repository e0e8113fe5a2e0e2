// From an address to a symbol: what crash reports, traces and profiles name. Never read at an ordinary start-up.
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

    /// All functions and objects, addresses as linked: for those who ask often and keep a table of their own.
    public func forEachSymbol(_ body: (_ address: UInt64, _ size: UInt64, _ name: String) -> Void) {
        unsafe SymbolSearch(elf).forEach { body($0.st_value, $0.st_size, $1) }
    }
}

/// The symbol tables of an ELF file, checked image or not.
@safe struct SymbolSearch {
    private let elf: OpaquePointer

    init(_ elf: OpaquePointer) { unsafe self.elf = elf }

    func symbol(at address: UInt64) -> SymbolPlace? {
        guard let (section, header) = unsafe table() else { return nil }
        var best: GElf_Sym?
        unsafe visit(section, header) { symbol in
            if symbol.st_value <= address, symbol.st_value >= best?.st_value ?? 0 { best = symbol }
        }
        guard let best, best.st_size == 0 || address - best.st_value < best.st_size else { return nil }
        return SymbolPlace(name: name(best, header), offset: address - best.st_value)
    }

    func forEach(_ body: (GElf_Sym, String) -> Void) {
        guard let (section, header) = unsafe table() else { return }
        unsafe visit(section, header) { body($0, name($0, header)) }
    }

    /// The first symbol table: the gABI allows no second one, and a hostile file could have thousands.
    private func table() -> (section: OpaquePointer, header: GElf_Shdr)? {
        var section = unsafe elf_nextscn(elf, nil)
        while let current = unsafe section {
            var header = GElf_Shdr()
            if unsafe gelf_getshdr(current, &header) != nil, header.sh_type == UInt32(SHT_SYMTAB) {
                guard isModest(header), let names = unsafe elf_getscn(elf, Int(header.sh_link)) else { return nil }
                var namesHeader = GElf_Shdr()
                guard unsafe gelf_getshdr(names, &namesHeader) != nil, isModest(namesHeader) else { return nil }
                return unsafe (current, header)
            }
            unsafe section = elf_nextscn(elf, current)
        }
        return nil
    }

    /// libelf reads a section whole: one of a sparse file could be gigabytes of nothing.
    private func isModest(_ header: GElf_Shdr) -> Bool { header.sh_size <= 64 << 20 }

    private func visit(_ section: OpaquePointer, _ header: GElf_Shdr, _ body: (GElf_Sym) -> Void) {
        guard let data = unsafe elf_getdata(section, nil), header.sh_entsize == 24 || header.sh_entsize == 16
        else { return }
        for index in 0..<Int32(clamping: header.sh_size / header.sh_entsize) {
            var symbol = GElf_Sym()
            guard unsafe gelf_getsym(data, index, &symbol) != nil else { break }
            if isPlace(symbol, header) { body(symbol) }
        }
    }

    /// Whether it names code or data in the image.
    private func isPlace(_ symbol: GElf_Sym, _ header: GElf_Shdr) -> Bool {
        let type = Int32(symbol.st_info & 0xf)
        return (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE) && symbol.st_shndx != UInt16(SHN_UNDEF)
            && symbol.st_shndx < UInt16(SHN_LORESERVE) && symbol.st_name != 0
    }

    /// At most 256 bytes of it, control characters as dots.
    private func name(_ symbol: GElf_Sym, _ header: GElf_Shdr) -> String {
        guard let name = unsafe elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name)) else { return "" }
        var bytes: [UInt8] = []
        while bytes.count < 256, unsafe name[bytes.count] != 0 {
            let byte = UInt8(bitPattern: unsafe name[bytes.count])
            bytes.append(byte < 0x20 || byte == 0x7f ? 0x2e : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
