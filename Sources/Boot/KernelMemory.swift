// The memory of a machine for other people's kernels, and how it is described to them.
//
//   0 ... 0x9fc00  memory    | 0x100000 ... 3 GiB  memory    | 4 GiB ...  what did not fit below
//   0x9fc00 ... 0x100000     memory too, but where a PC has its firmware: called reserved, and never promised to anyone
//
// Read next: Multiboot.swift.

import CABI
import X86

/// What is memory.
public struct KernelMemory: Equatable, Sendable {
    /// Bytes in all.
    public let size: UInt64
    public let low: Range<UInt64>
    public let high: Range<UInt64>

    static let lowEnd: UInt64 = 0x9_fc00
    static let firstMegabyte: UInt64 = 1 << 20
    /// Where the loader's own tables go: above what kernels use for starting processors and for real mode.
    static let tables: Range<UInt64> = 0x1_0000..<lowEnd

    public init(size: UInt64) {
        self.size = size
        let below = min(size, AddressMap.hole.lowerBound)
        low = 0..<below
        let start = AddressMap.hole.upperBound
        high = size > below ? start..<start + (size - below) : 0..<0
    }

    /// A line of the map that kernels are given.
    struct Line: Equatable {
        var range: Range<UInt64>
        var isUsable: Bool
        /// 1 or 2: as BIOS function E820, Multiboot, PVH and Linux have it.
        var type: UInt32 { isUsable ? 1 : 2 }
        var size: UInt64 { range.upperBound - range.lowerBound }
    }

    /// The map's lines as BIOS function E820 writes them, 20 bytes each (ACPI 6.5, 15.1).
    package var e820: [[UInt8]] {
        map.map { line in
            var table = BootTable(at: 0)
            table.add64(line.range.lowerBound, line.size)
            table.add32(UInt64(line.type))
            return table.bytes
        }
    }

    /// Ascending.
    var map: [Line] {
        let upper = Self.firstMegabyte..<max(low.upperBound, Self.firstMegabyte)
        return [
            Line(range: 0..<Self.lowEnd, isUsable: true),
            Line(range: Self.lowEnd..<Self.firstMegabyte, isUsable: false),
            Line(range: upper, isUsable: true), Line(range: high, isUsable: true),
        ].filter { !$0.range.isEmpty }
    }
}

extension KernelPlan {
    /// Where the image lies: from the first of its pieces to the end of the last.
    public var image: Range<UInt64> {
        let parts = pieces.filter { if case .file = $0.content { true } else { false } }
        guard let first = parts.first, let last = parts.last else { return 0..<0 }
        return first.range.lowerBound..<last.range.upperBound
    }

    public var layout: Layout {
        let none: Range<UInt64> = 0..<0
        var layout = Layout(memorySize: memory.size, image: image, stack: none, tables: none, module: none)
        (layout.low, layout.high) = (memory.low, memory.high)
        return layout
    }

    /// What lies where, in the words of Swiftlet's own boot info.
    public var memoryMap: [swiftlet_memory_range] {
        var lines: [swiftlet_memory_range] = []
        func add(_ range: Range<UInt64>, _ type: Int32) {
            if range.isEmpty { return }
            let size = range.upperBound - range.lowerBound
            lines.append(swiftlet_memory_range(start: range.lowerBound, size: size, type: UInt32(type), reserved: 0))
        }
        var next: UInt64 = 0
        for piece in pieces {
            add(next..<piece.range.lowerBound, SWIFTLET_MEMORY_FREE)
            switch piece.content {
            case .file: add(piece.range, SWIFTLET_MEMORY_IMAGE)
            case .bytes: add(piece.range, SWIFTLET_MEMORY_BOOT_INFO)
            case .module: add(piece.range, SWIFTLET_MEMORY_MODULE)
            }
            next = piece.range.upperBound
        }
        add(next..<memory.low.upperBound, SWIFTLET_MEMORY_FREE)
        add(memory.high, SWIFTLET_MEMORY_FREE)
        return lines
    }
}

/// Little-endian numbers and text, one behind the other, for an address.
struct BootTable {
    let base: UInt64
    private(set) var bytes: [UInt8] = []

    init(at base: UInt64) { self.base = base }

    /// Where the next byte will lie.
    var next: UInt64 { base + UInt64(bytes.count) }

    mutating func add32(_ values: UInt64...) { for value in values { add(value, 4) } }
    mutating func add64(_ values: UInt64...) { for value in values { add(value, 8) } }

    private mutating func add(_ value: UInt64, _ size: Int) {
        for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }

    /// With the NUL behind it; where it lies.
    mutating func addText(_ text: String) -> UInt64 {
        let place = next
        bytes += Array(text.utf8) + [0]
        return place
    }

    mutating func pad(to alignment: Int) { while !bytes.count.isMultiple(of: alignment) { bytes.append(0) } }

    /// Overwrites what was added before.
    mutating func put(_ offset: Int, _ content: [UInt8]) {
        bytes.replaceSubrange(offset..<offset + content.count, with: content)
    }

    mutating func put32(_ offset: Int, _ value: UInt64) {
        put(offset, (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) })
    }
}
