// Which pages of a guest's memory are not all zero: what a snapshot has to keep.
//
// Memory that nobody ever touched is not looked at, or a large guest would grow by being saved: the kernel says which
// pages are there (/proc/self/pagemap; Linux, Documentation/admin-guide/mm/pagemap.rst). Of memory that is a file, a page that
// is not there may still have content: that is read, all of it. Read next: Saving.swift.

import GuestMemory
import Host
import VMM
import X86

struct MemoryScan {
    private let memory: UInt
    /// What a file is mapped to: there a page is content though it was never touched.
    private let mapped: Extents?
    /// What an image is mapped to: the same.
    private let text: Range<UInt64>
    private let pagemap: [UInt64]?
    private let start: UInt64

    /// Pages of zeros between two others that are kept rather than begin a new range: a range costs a mapping.
    static let mergedGap: UInt64 = 16
    /// More ranges than this are merged over wider gaps: a process may have 65,530 mappings (vm.max_map_count).
    static let mostRanges = 16384

    /// Ranges that hold everything that is not zero: page-aligned, ascending, disjoint.
    static func ranges(of machine: Machine) throws(SnapshotError) -> [Range<UInt64>] {
        let layout = machine.platform.layout
        var ranges: [Range<UInt64>] = []
        for part in [AddressMap.machine.lowerBound..<layout.low.upperBound, layout.high] where !part.isEmpty {
            // 2 GiB at a time, which is 4 MiB of pagemap.
            for start in stride(from: part.lowerBound, to: part.upperBound, by: 1 << 31) {
                let piece = start..<min(start + 1 << 31, part.upperBound)
                try MemoryScan(machine, piece).add(piece, to: &ranges)
            }
        }
        var gap = mergedGap
        while ranges.count > mostRanges {
            gap *= 4
            ranges = merged(ranges, gap: gap * Format.page)
        }
        return ranges
    }

    private init(_ machine: Machine, _ range: Range<UInt64>) throws(SnapshotError) {
        memory = machine.platform.memory.hostBase
        mapped = (machine.origin.table as? Bytes).map { Extents($0) }
        text = machine.text == nil ? 0..<0 : machine.guest.layout.image
        start = range.lowerBound
        let isFile = machine.platform.store != nil
        pagemap = isFile ? nil : Self.pagemap(memory + UInt(range.lowerBound), pages: range.count / Int(Format.page))
    }

    /// An entry of eight bytes for each page; nil when the kernel does not say: then every page is read.
    private static func pagemap(_ address: UInt, pages: Int) -> [UInt64]? {
        do throws(HostError) {
            let file = try File("/proc/self/pagemap", .read)
            return try file.readList(of: UInt64(0), pages, at: UInt64(address) / Format.page * 8)
        } catch { return nil }
    }

    private func add(_ range: Range<UInt64>, to ranges: inout [Range<UInt64>]) throws(SnapshotError) {
        let gap = Self.mergedGap * Format.page
        for page in stride(from: range.lowerBound, to: range.upperBound, by: Int(Format.page)) where holdsContent(page)
        {
            if let last = ranges.last, page - last.upperBound <= gap {
                ranges[ranges.count - 1] = last.lowerBound..<page + Format.page
            } else {
                ranges.append(page..<page + Format.page)
            }
        }
    }

    private func holdsContent(_ page: UInt64) -> Bool {
        if let pagemap {
            let isThere = pagemap[Int((page - start) / Format.page)] >> 62 != 0  // present, or swapped out
            if !isThere, mapped?.contains(page) != true, !text.contains(page) { return false }
        }
        return !isZero(pageAt: memory + UInt(page))
    }

    static func merged(_ ranges: [Range<UInt64>], gap: UInt64) -> [Range<UInt64>] {
        ranges.reduce(into: []) { result, range in
            if let last = result.last, range.lowerBound - last.upperBound <= gap {
                result[result.count - 1] = last.lowerBound..<range.upperBound
            } else {
                result.append(range)
            }
        }
    }
}
