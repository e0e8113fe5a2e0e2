// What lies where in guest memory and how much of it is there: the last part of `--stats`.
//
// Read after the run, while the mappings still exist. Read next: VMM/MemoryMap.swift.

import CABI
import GuestMemory

/// A snapshot of guest memory's state.
public struct MemoryReport: Sendable {
    public struct Region: Sendable {
        public var range: Range<UInt64>
        public var what: String
        public var pages: PageCount
    }

    public let backing: String
    public let slots: SlotTotals
    public let regions: [Region]
    public let total: MappingTotals

    /// `map` is what boot info told the guest, `planned` the memory from 4 GiB up that it started with.
    public init(
        _ memory: borrowing GuestMemory, backing: Backing, slots: SlotTotals, map: [swiftlet_memory_range],
        planned: Range<UInt64>
    ) {
        var regions = map.map { ($0.start..<$0.start + $0.size, memoryWord($0.type)) }
        let grown = max(planned.upperBound, memory.high.lowerBound)..<memory.high.upperBound
        if !grown.isEmpty { regions.append((grown, "grown")) }
        self.backing = backing.name
        self.slots = slots
        let base = UInt64(memory.hostBase)
        let scan = PageScan()
        self.regions = regions.map { range, what in
            let host = base + range.lowerBound..<base + range.upperBound
            return Region(range: range, what: what, pages: scan?.count(host) ?? PageCount())
        }
        total = MappingTotals(smaps: readText("/proc/self/smaps", limit: 1 << 26) ?? "", in: base..<base + memory.span)
    }

    public var text: String { lines.joined(separator: "\n") + "\n" }

    /// A table.
    var lines: [String] {
        var lines = [
            "swiftlet: memory (\(backing); \(slots.count) slots, \(slots.bytes >> 10) KiB, added in "
                + "\(slots.nanoseconds / 1000) us)",
            row("", "size KiB", "resident", "huge", "what"),
        ]
        for region in regions {
            let place = "\(hex(region.range.lowerBound))-\(hex(region.range.upperBound - 1))"
            let size = region.range.upperBound - region.range.lowerBound
            lines.append(
                row(
                    place, kibibytes(size), kibibytes(region.pages.resident),
                    region.pages.huge.map(kibibytes) ?? "?", region.what))
        }
        let more =
            "total, \(total.dirty >> 10) KiB dirty" + (total.copied > 0 ? ", \(total.copied >> 10) KiB copied" : "")
        return lines + [row("", "", kibibytes(total.resident), kibibytes(total.huge), more)]
    }

    /// docs/stats.md describes every field.
    public var json: String {
        let rows = regions.map { region in
            "{\"start\":\(region.range.lowerBound),\"size\":\(region.range.upperBound - region.range.lowerBound)"
                + ",\"what\":\"\(region.what)\",\"resident\":\(region.pages.resident)"
                + (region.pages.huge.map { ",\"huge\":\($0)" } ?? "") + "}"
        }
        return "{\"backing\":\"\(backing)\",\"slots\":{\"count\":\(slots.count),\"bytes\":\(slots.bytes)"
            + ",\"ns\":\(slots.nanoseconds)},\"resident\":\(total.resident),\"huge\":\(total.huge)"
            + ",\"dirty\":\(total.dirty),\"copied\":\(total.copied),\"regions\":[\(rows.joined(separator: ","))]}"
    }

    private func row(_ place: String, _ size: String, _ resident: String, _ huge: String, _ what: String) -> String {
        "  \(padded(place, 24, left: false))\(padded(size, 12))\(padded(resident, 12))\(padded(huge, 12))  \(what)"
    }
}

/// What a range of the memory map is called.
package func memoryWord(_ type: UInt32) -> String {
    switch Int32(bitPattern: type) {
    case SWIFTLET_MEMORY_MACHINE: "machine"
    case SWIFTLET_MEMORY_BOOT_INFO: "boot-info"
    case SWIFTLET_MEMORY_VCPU: "vcpu"
    case SWIFTLET_MEMORY_IMAGE: "image"
    case SWIFTLET_MEMORY_STACK: "stack"
    case SWIFTLET_MEMORY_PAGE_TABLES: "page-tables"
    case SWIFTLET_MEMORY_MODULE: "module"
    default: "free"
    }
}

private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
private func kibibytes(_ bytes: UInt64) -> String { "\(bytes >> 10)" }
private func padded(_ text: String, _ width: Int, left: Bool = true) -> String {
    let space = String(repeating: " ", count: max(0, width - text.utf8.count))
    return left ? space + text : text + space
}
