// What starting a kernel comes to, whatever its protocol: pieces that lie in memory, and the CPU's first state.
//
// A protocol places pieces one by one; that they are memory and overlap nothing is checked here, once. `swiftlet inspect`
// shows the pieces, `install` writes them. Read next: KernelImage.swift.

import CABI
import GuestMemory
import X86

/// A kernel, placed.
public struct KernelPlan: Sendable {
    public struct Piece: Equatable, Sendable {
        /// What of it is not filled by its content is zero.
        public var range: Range<UInt64>
        public var what: String
        public var content: Content
    }

    public enum Content: Equatable, Sendable {
        /// Bytes of the image's file.
        case file(offset: UInt64, size: UInt64)
        case bytes([UInt8])
        /// A module's file, by index.
        case module(Int)
    }

    public let method: BootMethod
    public let memory: KernelMemory
    /// Ascending, none empty.
    public private(set) var pieces: [Piece] = []
    public var state = KernelState(.protected, rip: 0)
    /// Where ACPI's tables begin; 0 without any.
    private(set) var acpi: UInt64 = 0

    /// Plans an image: the protocol's own function does it.
    public init(
        _ image: KernelImage, _ method: BootMethod, memorySize: UInt64, _ wishes: BootWishes
    ) throws(ImageError) {
        self.method = method
        memory = KernelMemory(size: memorySize)
        try method.check(wishes)
        switch method {
        case .multiboot: try placeMultiboot(image, wishes)
        case .pvh: try placePVH(image, wishes)
        case .linux: try placeLinux(image, wishes)
        case .bootSector, .flat: try placeFlat(image)
        }
        if acpi == 0 { placeFirmware(wishes.machine) }
    }

    /// What kernels look for where a BIOS has it: ACPI's tables, and a reset vector, which Linux jumps to in real mode when
    /// ACPI is hardware-reduced. Behind the image: one that lies there itself gets none.
    mutating func placeFirmware(_ machine: ACPIMachine?) {
        guard let machine else { return }
        let start = ACPIMachine.place.lowerBound
        if placeWhereFree(start, "ACPI tables", machine.tables(at: start)) { acpi = start }
        _ = placeWhereFree(FlatImage.resetVector, "reset vector", FlatImage.reset)
    }

    private mutating func placeWhereFree(_ start: UInt64, _ what: String, _ bytes: [UInt8]) -> Bool {
        do throws(ImageError) {
            try place(start, UInt64(bytes.count), what, .bytes(bytes))
            return true
        } catch { return false }
    }

    /// Writes everything but the modules into memory, which must be zero.
    public func install(_ image: KernelImage, in memory: borrowing GuestMemory) throws(ImageError) {
        for piece in pieces {
            let start = GuestAddress(piece.range.lowerBound)
            switch piece.content {
            case .file(let offset, let size): try image.read(offset, size, into: memory, at: start)
            case .bytes(let bytes): memory.write(bytes: bytes, at: start)
            case .module: continue
            }
        }
    }

    /// Where module `index` lies.
    public func module(_ index: Int) -> Range<UInt64> {
        pieces.first { $0.content == .module(index) }?.range ?? 0..<0
    }
}

extension BootMethod {
    /// Refuses what such a kernel would never get.
    fileprivate func check(_ wishes: BootWishes) throws(ImageError) {
        if !takesCommandLine, !wishes.commandLine.isEmpty { throw .boot(.noCommandLine) }
        if wishes.modules.isEmpty || takesModules { return }
        if self != .linux { throw .boot(wishes.hasInitialDisk ? .noInitialDisk : .noModules) }
        if !wishes.hasInitialDisk || wishes.modules.count > 1 { throw .boot(.onlyInitialDisk) }
    }
}

extension KernelPlan {
    /// Adds a piece where it must lie.
    mutating func place(_ start: UInt64, _ size: UInt64, _ what: String, _ content: Content) throws(ImageError) {
        if size == 0 { return }
        let (end, overflow) = start.addingReportingOverflow(size)
        if overflow || end > memory.low.upperBound {
            throw .boot(
                .outside(what: what, start: start, end: overflow ? .max : end, memory: memory.low.upperBound))
        }
        let index = pieces.firstIndex { $0.range.lowerBound >= start } ?? pieces.count
        let (below, above) = (pieces[..<index].last, pieces[index...].first)
        if let below, below.range.upperBound > start { throw .boot(.overlap(below.what, what)) }
        if let above, above.range.lowerBound < end { throw .boot(.overlap(what, above.what)) }
        pieces.insert(Piece(range: start..<end, what: what, content: content), at: index)
    }

    /// The lowest place in `range` where that many bytes are free. Alignments are powers of two.
    func lowestRoom(_ size: UInt64, _ what: String, in range: Range<UInt64>, alignment: UInt64 = 4096)
        throws(ImageError) -> UInt64
    {
        var start = range.lowerBound.aligned(alignment)
        for piece in pieces where piece.range.upperBound > start {
            if piece.range.lowerBound >= start, piece.range.lowerBound - start >= size { break }
            start = piece.range.upperBound.aligned(alignment)
        }
        guard start <= range.upperBound, range.upperBound - start >= size else {
            throw .boot(.noRoom(what: what, size: size))
        }
        return start
    }

    /// The highest such place.
    func highestRoom(_ size: UInt64, _ what: String, in range: Range<UInt64>, alignment: UInt64 = 4096)
        throws(ImageError) -> UInt64
    {
        var end = range.upperBound
        for piece in pieces.reversed() where piece.range.lowerBound < end {
            if end >= size, (end - size) & ~(alignment - 1) >= piece.range.upperBound { break }
            end = piece.range.lowerBound
        }
        guard end >= size, (end - size) & ~(alignment - 1) >= range.lowerBound else {
            throw .boot(.noRoom(what: what, size: size))
        }
        return (end - size) & ~(alignment - 1)
    }

    /// Puts tables into low memory, high up, where few kernels expect their own: `build` makes them for an address.
    @discardableResult
    mutating func placeTables(
        _ what: String, alignment: UInt64 = 16, _ build: (UInt64) -> [UInt8]
    ) throws(ImageError) -> UInt64 {
        let size = UInt64(build(0).count)
        let start = try highestRoom(size, what, in: KernelMemory.tables, alignment: alignment)
        try place(start, size, what, .bytes(build(start)))
        return start
    }

    /// Puts the modules behind all that is placed above 1 MiB, on pages.
    mutating func placeModules(_ modules: [BootWishes.Module]) throws(ImageError) {
        for (index, module) in modules.enumerated() {
            let what = index == 0 ? "the first module" : "module \(index + 1)"
            let behind = max(pieces.last?.range.upperBound ?? 0, 1 << 20)
            let end = max(behind, memory.low.upperBound)
            let start = try lowestRoom(module.size, what, in: behind..<end)
            try place(start, module.size, what, .module(index))
        }
    }
}

extension UInt64 {
    /// Up to a power of two; what would wrap stays at the top.
    func aligned(_ alignment: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(alignment - 1)
        return overflow ? .max : sum & ~(alignment - 1)
    }
}
