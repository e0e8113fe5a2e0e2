// The plan of a machine: everything has a place, nothing overlaps, and when it does not fit the message helps.
//
// Read next: RingThreeTests.swift.

import Testing
import X86

@testable import Boot

private let image: Range<UInt64> = 0x4_0000..<0x4_3000

@Suite struct LayoutTests {
    private func error(_ memory: UInt64, _ image: Range<UInt64>, module: UInt64 = 0) -> ImageError? {
        do throws(ImageError) {
            _ = try Layout(memorySize: memory, image: image, moduleSize: module)
            return nil
        } catch { return error }
    }

    /// What must hold of every plan.
    private func check(_ layout: Layout) {
        let page = AddressMap.pageSize
        let parts = [layout.image, layout.stack, layout.tables, layout.module]
        for (lower, upper) in zip(parts, parts.dropFirst()) { #expect(lower.upperBound <= upper.lowerBound) }
        #expect(layout.stack.lowerBound == layout.image.upperBound + page, "a guard page under the stack")
        #expect(layout.stack.upperBound - layout.stack.lowerBound == Layout.stackSize)
        #expect(layout.module.upperBound <= layout.low.upperBound)
        for part in parts + layout.free {
            #expect(part.lowerBound % page == 0 && part.upperBound % page == 0)
        }
        for (lower, upper) in zip(layout.free, layout.free.dropFirst()) {
            #expect(lower.upperBound <= upper.lowerBound)
        }
        for free in layout.free {
            #expect(!free.isEmpty)
            for part in parts { #expect(!part.overlaps(free)) }
        }
        let freeBytes = layout.free.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
        #expect(layout.free.allSatisfy { $0.count <= layout.largestFree.count })
        let used = layout.module.upperBound - layout.image.lowerBound + AddressMap.imageStart
        #expect(freeBytes + used == layout.memorySize, "not a page is lost")
    }

    @Test(
        arguments: [1 << 20, 2 << 20, 64 << 20, 3 << 30, 3 << 30 + 4096, 4 << 30, 64 << 30, 513 << 30] as [UInt64],
        [0, 1, 4096, 4097, 0x4_0000] as [UInt64])
    func everythingHasAPlace(memory: UInt64, module: UInt64) throws {
        for image in [image, 0x4_0000..<0x4_1000, 0x8_0000..<0x8_5000] {
            let layout = try Layout(memorySize: memory, image: image, moduleSize: module)
            check(layout)
            #expect(layout.module.upperBound - layout.module.lowerBound == (module + 4095) & ~4095)
        }
    }

    @Test func smallestMachine() throws {
        let layout = try Layout(memorySize: 1 << 20, image: image, moduleSize: 0)
        #expect(layout.low == 0x1_0000..<0x10_0000)
        #expect(layout.high.isEmpty)
        #expect(layout.free == [layout.tables.upperBound..<0x10_0000])
    }

    @Test func memoryAroundTheHole() throws {
        let layout = try Layout(memorySize: 4 << 30, image: image, moduleSize: 0)
        #expect(layout.low.upperBound == 3 << 30)
        #expect(layout.high == 4 << 30..<5 << 30)
        #expect(layout.largestFree == layout.tables.upperBound..<3 << 30)
        let large = try Layout(memorySize: 64 << 30, image: image, moduleSize: 0)
        #expect(large.largestFree == large.high)
        let between = try Layout(memorySize: 64 << 20, image: 0x300_0000..<0x300_1000, moduleSize: 0)
        #expect(between.largestFree == 0x4_0000..<0x300_0000, "below the image")
    }

    @Test func imageThatReachesToTheLastPage() throws {
        let rest = Layout.stackSize + 4096 + PageTableBuilder.pagesNeeded(top: 1 << 20, splitRanges: 7) * 4096
        let last = 0x4_0000..<(1 << 20) - rest
        let layout = try Layout(memorySize: 1 << 20, image: last, moduleSize: 0)
        check(layout)
        #expect(layout.free.isEmpty && layout.largestFree.isEmpty)
        #expect(error(1 << 20, last, module: 1) == .memoryTooSmall(needed: 1 << 20 + 4096, given: 1 << 20))
        let longer = 0x4_0000..<last.upperBound + 4096
        #expect(error(1 << 20, longer) == .memoryTooSmall(needed: 1 << 20 + 4096, given: 1 << 20))
    }

    @Test func imageBelowWhereImagesBegin() {
        #expect(error(64 << 20, 0x3_f000..<0x4_1000) == .belowImageStart(0x3_f000, lowest: 0x4_0000))
        #expect(error(64 << 20, 0..<0x1000) == .belowImageStart(0, lowest: 0x4_0000))
    }

    /// Whoever does as the message says gets a machine.
    @Test(
        arguments: [0x4_0000, 0x1234_5000, 0x3fff_0000, 0x7ff0_0000, 0xbf00_0000] as [UInt64],
        [0, 5, 100 << 20, 0x3ff7_0000] as [UInt64])
    func adviceHelps(start: UInt64, module: UInt64) throws {
        let image = start..<start + 0x3000
        guard start + module < 3 << 30 - (1 << 20),
            case .memoryTooSmall(let needed, _)? = error(1 << 20, image, module: module)
        else { return }
        let advice = (needed + 0xfffff) & ~0xfffff
        #expect(error(advice, image, module: module) == nil)
    }

    /// An image, or a module behind it, that reaches over 3 GiB: more memory would not help, and is not asked for.
    @Test(
        arguments: [
            (0xbfff_f000, 0), (0xc000_0000, 0), (0xffff_f000, 0), (1 << 32, 0), (1 << 46, 0),
            (0x4_0000, 3 << 30), (0x4_0000, 1 << 40), (0x4_0000, .max), (0x4_0000, .max - 0x10_0000), (1 << 46, .max),
        ] as [(UInt64, UInt64)])
    func whatDoesNotFitBelowTheHole(start: UInt64, module: UInt64) {
        for memory in [1 << 20, 64 << 20, 64 << 30] as [UInt64] {
            let error = error(memory, start..<start + 0x1000, module: module)
            guard case .aboveLowMemory? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(error?.isReadable == true)
            #expect(error?.message.contains("--mem") == false)
        }
    }

    @Test(arguments: [0, 1, 0xfffff, 0x100000, UInt64.max] as [UInt64])
    func sizesInMessagesDoNotOverflow(size: UInt64) {
        #expect(ImageError.memoryTooSmall(needed: size, given: size).isReadable)
    }
}
