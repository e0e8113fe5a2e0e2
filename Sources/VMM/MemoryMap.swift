// What lies where in a machine's memory and how much of it is there, for `--stats`.
//
// Read next: Backing/MemoryReport.swift.

import Backing
import CABI

extension Machine {
    /// To be asked after the run.
    var memoryReport: MemoryReport {
        var regions = guest.memoryMap.map { ($0.start..<$0.start + $0.size, Self.word($0.type)) }
        let (planned, now) = (guest.layout.high.upperBound, platform.memory.high)
        if now.upperBound > max(planned, now.lowerBound) {
            regions.append((max(planned, now.lowerBound)..<now.upperBound, "grown"))
        }
        return MemoryReport(
            platform.memory, backing: configuration.backing, slots: platform.slots.totals, regions: regions)
    }

    /// Lines behind the statistics' table.
    public var memoryText: String { memoryReport.lines.joined(separator: "\n") + "\n" }

    private static func word(_ type: UInt32) -> String {
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
}
