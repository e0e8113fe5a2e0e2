// Which pages of a guest's memory are not all zero: what a snapshot has to keep.
//
// Memory that nobody ever touched is not looked at, or a large guest would grow by being saved: the kernel says which
// pages are there (/proc/self/pagemap; Linux, Documentation/admin-guide/mm/pagemap.rst). Of memory that is a file, a page that
// is not there may still have content: that is read, all of it. Read next: SectionWriter.swift.

import GuestMemory
import Host
import VMM
import X86

/// A range of memory, looked at.
struct MemoryScan {
    private let memory: UInt
    /// What files are mapped to: there a page is content though it was never touched.
    private let mapped: [Extents]
    /// What an image is mapped to: the same.
    private let text: Range<UInt64>
    private let pagemap: [UInt64]?
    private let range: Range<UInt64>

    /// Pages of zeros between two others that are kept rather than begin a new range: a range costs a mapping.
    static let mergedGap: UInt64 = 16
    /// More ranges than this are merged over wider gaps: a process may have 65,530 mappings (vm.max_map_count).
    static let mostRanges = 16384
    /// 2 GiB at a time, which is 4 MiB of pagemap.
    private static let stride = 1 << 31

    /// Ranges that hold everything that is not zero: page-aligned, ascending, disjoint.
    static func ranges(of machine: Machine) throws(SnapshotError) -> [SavedRange] {
        var ranges: [Range<UInt64>] = []
        let pages = PageMap()
        for part in machine.platform.memory.savedParts {
            for start in Swift.stride(from: part.lowerBound, to: part.upperBound, by: stride) {
                let piece = start..<min(start + UInt64(stride), part.upperBound)
                MemoryScan(machine, piece, pages).add(to: &ranges)
            }
        }
        return wellMerged(ranges).map { SavedRange(range: $0) }
    }

    private init(_ machine: Machine, _ range: Range<UInt64>, _ pages: PageMap?) {
        memory = machine.platform.memory.hostBase
        let table = machine.origin.table
        mapped = (table as? Bytes).map { [Extents($0)] } ?? (table as? ChainTables)?.list ?? []
        text = machine.text == nil ? 0..<0 : machine.guest.layout.image
        self.range = range
        let isFile = machine.platform.store != nil
        pagemap = isFile ? nil : pages?.entries(at: memory + UInt(range.lowerBound), range.count / Int(Format.page))
    }

    /// Of memory of which every page is read: a chain's, mapped where no machine runs.
    init(memory: UInt, _ range: Range<UInt64>) {
        (self.memory, mapped, text, pagemap, self.range) = (memory, [], 0..<0, nil, range)
    }

    /// What a snapshot on top of another has to keep: of the pages that may have changed those that are not zero, and as
    /// ranges of their own those that are. Few pages between two of the first that did not change are kept with them.
    static func increment(of machine: Machine, _ pages: DirtyPages) -> [SavedRange] {
        var ranges: [SavedRange] = []
        let map = PageMap()
        for part in machine.platform.memory.savedParts {
            for run in pages.runs(in: part, atMost: stride) {
                MemoryScan(machine, run, map).addAll(to: &ranges)
            }
        }
        return ranges
    }

    private func addAll(to ranges: inout [SavedRange]) {
        for page in Swift.stride(from: range.lowerBound, to: range.upperBound, by: Int(Format.page)) {
            let isZero = !holdsContent(page)
            let gap = isZero ? 0 : 2 * Format.page
            if let last = ranges.last, last.isZero == isZero, page - last.range.upperBound <= gap {
                ranges[ranges.count - 1].range = last.range.lowerBound..<page + Format.page
            } else {
                ranges.append(SavedRange(range: page..<page + Format.page, isZero: isZero))
            }
        }
    }

    func add(to ranges: inout [Range<UInt64>]) {
        let gap = Self.mergedGap * Format.page
        for page in Swift.stride(from: range.lowerBound, to: range.upperBound, by: Int(Format.page))
        where holdsContent(page) {
            if let last = ranges.last, page - last.upperBound <= gap {
                ranges[ranges.count - 1] = last.lowerBound..<page + Format.page
            } else {
                ranges.append(page..<page + Format.page)
            }
        }
    }

    /// Of a page in the range: whether it is not all zero.
    func holdsContent(_ page: UInt64) -> Bool {
        if let pagemap {
            let isThere = pagemap[Int((page - range.lowerBound) / Format.page)] >> 62 != 0  // present, or swapped out
            if !isThere, !text.contains(page), !mapped.contains(where: { $0.contains(page) }) { return false }
        }
        return !isZero(at: memory + UInt(page), Int(Format.page))
    }

    /// With no more ranges than a process can map.
    static func wellMerged(_ ranges: [Range<UInt64>]) -> [Range<UInt64>] {
        var (ranges, gap) = (ranges, mergedGap)
        while ranges.count > mostRanges {
            gap *= 4
            ranges = merged(ranges, gap: gap * Format.page)
        }
        return ranges
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

/// This process's page map: opened once for a scan, which may look at thousands of ranges.
private final class PageMap {
    private let file: File

    /// Nil when the kernel does not have it: then every page is read.
    init?() {
        do throws(HostError) { file = try File("/proc/self/pagemap", .read) } catch { return nil }
    }

    /// An entry of eight bytes for each page; nil when the kernel does not say.
    func entries(at address: UInt, _ pages: Int) -> [UInt64]? {
        do throws(HostError) {
            return try file.readList(of: UInt64(0), pages, at: UInt64(address) / Format.page * 8)
        } catch { return nil }
    }
}

extension GuestMemory {
    /// Every address that a guest can have changed: the machine's pages with what lies behind them, and memory from 4 GiB up.
    var savedParts: [Range<UInt64>] {
        let first = AddressMap.machine.lowerBound..<low.upperBound
        return high.isEmpty ? [first] : [first, high]
    }
}
