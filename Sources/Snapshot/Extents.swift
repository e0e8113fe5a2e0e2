// The table of memory: which ranges a file holds, and where in it they lie.
//
// The table's bytes as they were read, and an entry made of them when it is asked for (Bytes.swift says why). Read next: FeatureNames.swift.

import CSnapshot
import X86

/// Ascending, disjoint ranges of memory.
struct Extents: Sendable {
    let bytes: Bytes

    static let stride = MemoryLayout<csnapshot_extent>.stride

    init(_ bytes: Bytes) { self.bytes = bytes }

    var indices: Range<Int> { 0..<bytes.count / Self.stride }

    subscript(index: Int) -> csnapshot_extent {
        guard let extent = bytes.load(at: index * Self.stride, as: csnapshot_extent.self) else {
            preconditionFailure("an index of `indices`")
        }
        return extent
    }

    /// A range of memory that is one range of the file, or with an offset of 0 zeros in the place of what a parent has.
    struct Run {
        var address: UInt64
        var offset: UInt64
        var size: UInt64
    }

    /// The longest run that begins at an index, and the index behind it.
    private func run(at start: Int) -> (run: Run, next: Int) {
        let first = self[start]
        var run = Run(address: first.address, offset: first.offset, size: UInt64(first.size))
        var next = start + 1
        while next < indices.upperBound, self[next].address == run.address + run.size,
            self[next].offset == (run.offset == 0 ? 0 : run.offset + run.size)
        {
            run.size += UInt64(self[next].size)
            next += 1
        }
        return (run, next)
    }

    /// All of them, in order.
    func forEachRun<E: Error>(_ body: (Run) throws(E) -> Void) throws(E) {
        var next = 0
        while next < indices.upperBound {
            let found = run(at: next)
            next = found.next
            try body(found.run)
        }
    }

    /// Whether a page is in one of them.
    func contains(_ page: UInt64) -> Bool { extent(of: page) != nil }

    /// The one that has a page.
    func extent(of page: UInt64) -> csnapshot_extent? {
        var (low, high) = (0, indices.upperBound)
        while low < high {
            let middle = (low + high) / 2
            let extent = self[middle]
            if page < extent.address {
                high = middle
            } else if page >= extent.address + UInt64(extent.size) {
                low = middle + 1
            } else {
                return extent
            }
        }
        return nil
    }

    /// Ascending and disjoint in memory, inside memory and file; `hasParent`: zeros may take the place of what it has.
    func makeSense(low: Range<UInt64>, high: Range<UInt64>, fileSize: UInt64, hasParent: Bool) -> Bool {
        if bytes.count % Self.stride != 0 { return false }
        var end = AddressMap.machine.lowerBound
        for index in indices {
            let extent = self[index]
            let size = UInt64(extent.size)
            let room = extent.address < low.upperBound ? low.upperBound : high.upperBound
            guard extent.address >= end, (1...Format.largestExtent).contains(size),
                (extent.address | extent.offset | size) % Format.page == 0, extent.address <= room,
                size <= room - extent.address,
                extent.address < low.upperBound || extent.address >= high.lowerBound,
                extent.offset == 0 ? hasParent : extent.offset <= fileSize && size <= fileSize - extent.offset
            else { return false }
            end = extent.address + size
        }
        return true
    }
}
