// Xen's PVH, directly booted: a note names the entry, and a struct tells of memory, modules and the command line.
//
// How Linux, FreeBSD and NetBSD start without firmware. Entered in 32-bit protected mode with the struct's address in EBX.
// Xen: docs/misc/pvh.pandoc, include/public/arch-x86/hvm/start_info.h, include/public/elfnote.h. Read next: FlatImage.swift.

import X86

extension KernelPlan {
    mutating func placePVH(_ image: KernelImage, _ wishes: BootWishes) throws(ImageError) {
        // XEN_ELFNOTE_PHYS32_ENTRY
        guard let note = image.note("Xen", 18) else { throw .boot(.notSuch(.pvh)) }
        if note.count != 4, note.count != 8 { throw .boot(.pvhNote(size: note.count)) }
        try place(try image.segments())
        try enter(at: note.number(0, note.count))
        placeFirmware(wishes.machine)
        try placeModules(wishes.modules)
        state.rbx = try placeTables("PVH start info") { [self] in startInfo(wishes, at: $0) }
    }

    /// hvm_start_info, version 1, with what it points at behind it. Addresses are of 8 bytes.
    private func startInfo(_ wishes: BootWishes, at address: UInt64) -> [UInt8] {
        let (infoSize, moduleSize, lineSize): (UInt64, UInt64, UInt64) = (56, 32, 24)
        let modules = address + infoSize
        let map = modules + UInt64(wishes.modules.count) * moduleSize
        let texts = map + UInt64(memory.map.count) * lineSize
        // Texts come last, so where each lies follows from those before it.
        var textTable = BootTable(at: texts)
        let commandLine = textTable.addText(wishes.commandLine)
        let arguments = wishes.modules.map { $0.arguments.isEmpty ? 0 : textTable.addText($0.arguments) }

        var table = BootTable(at: address)
        table.add32(0x336e_c578, 1, 0, UInt64(wishes.modules.count))
        table.add64(wishes.modules.isEmpty ? 0 : modules, commandLine, acpi, map)
        table.add32(UInt64(memory.map.count), 0)
        for (index, text) in arguments.enumerated() {
            let range = module(index)
            table.add64(range.lowerBound, range.upperBound - range.lowerBound, text, 0)
        }
        for line in memory.map {
            table.add64(line.range.lowerBound, line.size)
            table.add32(UInt64(line.type), 0)
        }
        return table.bytes + textTable.bytes
    }
}
