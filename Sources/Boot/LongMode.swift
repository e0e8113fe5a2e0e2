// What 64-bit mode needs before the kernel has anything: descriptors, and the first 4 GiB mapped to themselves.
//
// Selectors are those of Linux's boot protocol: 0x10 code, 0x18 data. Read next: LinuxBoot.swift.

import X86

extension KernelPlan {
    /// Places both and has the CPU start with them.
    mutating func placeLongMode() throws(ImageError) {
        let descriptors: [UInt64] = [0, 0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff]
        state.gdt = try placeTables("descriptors") { address in
            var table = BootTable(at: address)
            for entry in descriptors { table.add64(entry) }
            return table.bytes
        }
        state.gdtLimit = UInt16(descriptors.count * 8 - 1)
        (state.code, state.data) = (0x10, 0x18)
        state.cr3 = try placeTables("page tables", alignment: 4096, identityMap)
    }
}

/// PML4, page directory pointers, and four directories of pages of 2 MiB.
private func identityMap(at address: UInt64) -> [UInt8] {
    let flags = PageFlags([.present, .writable]).rawValue
    var table = BootTable(at: address)
    func fill(_ entries: [UInt64]) {
        for entry in entries { table.add64(entry | flags) }
        table.pad(to: 4096)
    }
    fill([address + 0x1000])
    fill((0..<4).map { address + 0x2000 + $0 << 12 })
    fill((0..<2048).map { UInt64($0) << 21 | PageFlags.huge.rawValue })
    return table.bytes
}
