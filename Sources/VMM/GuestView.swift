// Guest memory by virtual address: what reports, cores and debuggers read.
//
// Read next: X86/PageTables.swift (the walk), Looking/CoreDump.swift.

import GuestMemory
import X86

/// Guest-virtual memory under one root.
struct GuestView {
    let platform: Platform
    let root: UInt64

    init(_ platform: Platform, root: UInt64) {
        self.platform = platform
        self.root = root
    }

    /// An aligned word; nil where it is not mapped or is no memory.
    func word(at address: UInt64) -> UInt64? {
        guard address % 8 == 0, let mapping = PageWalk.translate(address, root: root, in: platform.memory) else {
            return nil
        }
        return platform.memory.read(GuestAddress(mapping.physical))
    }

    /// Up to `count` bytes; fewer where a page is not mapped or is no memory.
    func bytes(at address: UInt64, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for offset in 0..<UInt64(count) {
            guard let mapping = PageWalk.translate(address &+ offset, root: root, in: platform.memory),
                let byte = platform.memory.read(GuestAddress(mapping.physical), as: UInt8.self)
            else { break }
            bytes.append(byte)
        }
        return bytes
    }

    /// The IN or OUT that ends at `next`: one byte (and a prefix) with DX, two with an immediate port.
    func portInstruction(before next: UInt64) -> UInt64 {
        let before = bytes(at: next &- 2, 2)
        guard before.count == 2 else { return next }
        if (0xec...0xef).contains(before[1]) { return next &- 1 }
        if (0xe4...0xe7).contains(before[0]) { return next &- 2 }
        return next
    }
}
