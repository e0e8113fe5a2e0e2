// An ELF core as a debugger reads it: program headers, the registers in its note, memory by virtual address.
//
// Read next: Sources/VMM/Looking/CoreDump.swift.

/// A core file's content. Offsets: gABI, figures 4-3 and 5-1; struct elf_prstatus of <linux/elfcore.h>.
struct Core {
    let bytes: [UInt8]

    private func number(_ offset: Int, _ size: Int) -> Int {
        (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }

    /// Program headers: type, offset, address, physical address and size.
    private var headers: [(type: Int, offset: Int, address: Int, physical: Int, size: Int)] {
        (0..<number(56, 2)).map { index in
            let header = 64 + 56 * index
            return (
                number(header, 4), number(header + 8, 8), number(header + 16, 8), number(header + 24, 8),
                number(header + 32, 8)
            )
        }
    }

    /// An ET_CORE for x86-64: a note, physical memory that lies in the file in its order, and segments that point into it.
    var isComplete: Bool {
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), number(16, 2) == 4, number(18, 2) == 62 else {
            return false
        }
        let headers = headers
        let memory = headers.filter { $0.type == Self.physicalMemory }
        guard headers.first?.type == 4, let first = memory.first,
            !headers.contains(where: { ![4, 1, Self.physicalMemory].contains($0.type) })
        else { return false }
        let start = first.offset - first.physical
        return headers.dropFirst().allSatisfy { $0.offset % 4096 == 0 && $0.offset == start + $0.physical }
            && headers.allSatisfy { $0.offset + $0.size <= bytes.count } && headers[0].offset + headers[0].size <= start
            && zip(memory, memory.dropFirst()).allSatisfy { $0.physical + $0.size <= $1.physical }
    }

    private static let physicalMemory = 0x6000_5357

    /// Guest-physical memory; nil where the core has none.
    func physicalBytes(at address: Int, _ count: Int) -> [UInt8]? {
        headers.first {
            $0.type == Self.physicalMemory && $0.physical <= address && address + count <= $0.physical + $0.size
        }.map { Array(bytes[$0.offset + address - $0.physical..<$0.offset + address - $0.physical + count]) }
    }

    /// The registers of NT_PRSTATUS, in the order of struct user_regs_struct.
    var registers: [Int] {
        let note = headers[0].offset + 12 + 8  // behind the note's header and its name
        return (0..<27).map { number(note + 112 + 8 * $0, 8) }
    }

    /// Memory by guest-virtual address; nil where the core has none.
    func bytes(at address: Int, _ count: Int) -> [UInt8]? {
        headers.first { $0.type == 1 && $0.address <= address && address + count <= $0.address + $0.size }
            .map { Array(bytes[$0.offset + address - $0.address..<$0.offset + address - $0.address + count]) }
    }
}
