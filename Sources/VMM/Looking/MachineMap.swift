// Where a guest-physical address lies: in which memory slot, and in what the guest knows as the image, the stack, the tables.
//
// Plain values, so that a core and a snapshot have one too. Read next: WalkReport.swift.

import Backing
import Boot
import CABI
import X86

/// A machine's guest-physical addresses.
public struct MachineMap: Equatable, Sendable {
    /// A memory slot of KVM's.
    public struct Slot: Equatable, Sendable {
        public let index: UInt64
        public let range: Range<UInt64>
        public let isReadOnly: Bool
    }

    /// A part of memory that has a name.
    public struct Region: Equatable, Sendable {
        public let range: Range<UInt64>
        public let type: UInt32
        /// "image", "stack", "page-tables".
        public var what: String { memoryWord(type) }
    }

    public let slots: [Slot]
    public let regions: [Region]

    package init(slots: [Slot], regions: [Region]) { (self.slots, self.regions) = (slots, regions) }

    /// Of a guest with this much memory now. What grow calls have added is a slot for each step, and a unikernel's in ring 3 may be
    /// in three; here it is one.
    package init(_ guest: Guest, low: Range<UInt64>, high: Range<UInt64>) {
        var slots: [Slot] = []
        func add(_ range: Range<UInt64>, isReadOnly: Bool = false) {
            if !range.isEmpty { slots.append(Slot(index: UInt64(slots.count), range: range, isReadOnly: isReadOnly)) }
        }
        if case .ringThree = guest { add(AddressMap.machine, isReadOnly: true) }
        add(low)
        add(high)
        self.slots = slots
        var regions = guest.memoryMap.map { Region(range: $0.start..<$0.start + $0.size, type: $0.type) }
        let grown =
            max(guest.layout.high.upperBound, high.lowerBound)..<max(guest.layout.high.upperBound, high.upperBound)
        if !grown.isEmpty { regions.append(Region(range: grown, type: UInt32(SWIFTLET_MEMORY_FREE))) }
        self.regions = regions
    }

    public func slot(of physical: UInt64) -> Slot? { slots.first { $0.range.contains(physical) } }

    public func region(of physical: UInt64) -> Region? { regions.first { $0.range.contains(physical) } }

    /// A line for each slot and each region.
    public var lines: [String] {
        let slots = slots.map { ["slot \($0.index)", extent($0.range), $0.isReadOnly ? "read-only" : "memory"] }
        return columns([["", "guest-physical", ""]] + slots + regions.map { ["", extent($0.range), $0.what] })
    }
}

extension Machine {
    package var map: MachineMap { MachineMap(guest, low: platform.memory.low, high: platform.memory.high) }
}

/// "0x10000-0x3ffffff".
func extent(_ range: Range<UInt64>) -> String { "\(hex(range.lowerBound))-\(hex(range.upperBound - 1))" }

/// Rows as lines whose cells stand under each other.
func columns(_ rows: [[String]]) -> [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        var line = " "
        for (cell, width) in zip(row, widths) {
            line += " " + cell + String(repeating: " ", count: width - cell.count + 1)
        }
        while line.last == " " { line.removeLast() }
        return line
    }
}
