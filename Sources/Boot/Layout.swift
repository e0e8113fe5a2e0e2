// Where everything of a ring-3 guest lies in its memory, decided before anything is written.
//
//   ... | image | guard page | stack | page tables | module | free ...
//
// Behind the image and close together, so that a small guest touches few pages. Read next: RingThree.swift.

import X86

/// The plan. All ranges are page-aligned.
public struct Layout: Equatable, Sendable {
    public static let stackSize: UInt64 = 64 << 10

    public var memorySize: UInt64
    public var low: Range<UInt64>
    public var high: Range<UInt64>
    public var image: Range<UInt64>
    public var stack: Range<UInt64>
    public var tables: Range<UInt64>
    public var module: Range<UInt64>

    /// Plans a machine of `memorySize` bytes.
    public init(memorySize: UInt64, image: Range<UInt64>, moduleSize: UInt64) throws(ImageError) {
        self.memorySize = memorySize
        self.image = image
        (low, high) = AddressMap.memory(size: memorySize)
        if image.lowerBound < AddressMap.imageStart {
            throw .belowImageStart(image.lowerBound, lowest: AddressMap.imageStart)
        }
        let page = AddressMap.pageSize
        let guardPage = image.upperBound
        stack = guardPage + page..<guardPage + page + Self.stackSize
        let top = max(low.upperBound, high.upperBound)
        let pages = PageTableBuilder.pagesNeeded(top: top, splitRanges: Self.splitRanges(image))
        tables = stack.upperBound..<stack.upperBound + pages * page
        let modulePages = moduleSize.addingReportingOverflow(page - 1)
        let (end, overflow) = tables.upperBound.addingReportingOverflow(modulePages.partialValue & ~(page - 1))
        let tooHigh = ImageError.aboveLowMemory(imageEnd: image.upperBound, moduleSize: moduleSize)
        if overflow || modulePages.overflow || end > AddressMap.hole.lowerBound { throw tooHigh }
        if end > low.upperBound {
            // A larger machine may need another page table for each GiB.
            let grown = PageTableBuilder.pagesNeeded(top: end + 1 << 20, splitRanges: Self.splitRanges(image))
            let needed = end + (grown - pages) * page
            throw needed > AddressMap.hole.lowerBound ? tooHigh : .memoryTooSmall(needed: needed, given: memorySize)
        }
        module = tables.upperBound..<end
    }

    /// The layout of a machine that was planned before.
    package init(
        memorySize: UInt64, image: Range<UInt64>, stack: Range<UInt64>, tables: Range<UInt64>, module: Range<UInt64>
    ) {
        (low, high) = AddressMap.memory(size: memorySize)
        (self.memorySize, self.image, self.stack, self.tables, self.module) = (memorySize, image, stack, tables, module)
    }

    /// What is left: below the image, behind the module, from 4 GiB up. Ascending, none empty.
    public var free: [Range<UInt64>] { [freeBelow, freeBehind, high].filter { !$0.isEmpty } }
    public var freeBelow: Range<UInt64> { AddressMap.imageStart..<image.lowerBound }
    public var freeBehind: Range<UInt64> { module.upperBound..<low.upperBound }

    /// The largest free range, for a heap.
    public var largestFree: Range<UInt64> {
        let lower = freeBelow.count > freeBehind.count ? freeBelow : freeBehind
        return high.count > lower.count ? high : lower
    }

    /// 2 MiB ranges that may need a level-1 table: the first, those of the image and what follows it (up to two more),
    /// and the ragged ends of low and high memory.
    private static func splitRanges(_ image: Range<UInt64>) -> Int {
        Int((image.upperBound - image.lowerBound) / AddressMap.hugePageSize) + 7
    }
}
