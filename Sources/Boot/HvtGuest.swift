// The boot protocol of Solo5's hvt: a unikernel and a memory become an initial CPU state in ring 0.
//
//   0x1000 GDT | 0x2000 page tables | 0x10000 boot info, manifest, command line | 0x100000 image, heap ... stack
//
// Everything below 0x10000 is there but not mapped, so that a null pointer faults in the guest. Nothing is no-execute in
// the guest's tables: W^X is the host's protection of each segment's pages (VMM/Hvt/HvtMachine.swift). The interface is
// Solo5's hvt_abi.h. Read next: VMM/Hvt/HvtMachine.swift.

import CABI
import GuestMemory
import X86

/// An hvt unikernel, placed.
public struct HvtGuest: Sendable {
    public let layout: Layout
    public let segments: ELFSegments
    public let entry: UInt64
    /// With what the devices are, when they are attached.
    public let manifest: Solo5Manifest
    /// Bytes of memory, a multiple of 2 MiB, the ring's included.
    public let memorySize: UInt64
    /// Where the network ring lies: at the end of memory, 2 MiB; empty without one.
    public let ring: Range<UInt64>

    /// Addresses of the interface.
    public enum Place {
        static let gdt = HvtGDT.base
        static let pml4: UInt64 = 0x2000
        static let pdpt: UInt64 = 0x3000
        static let directories: UInt64 = 0x4000
        static let firstTable: UInt64 = 0x8000
        public static let bootInfo: UInt64 = 0x1_0000
        static let manifest: UInt64 = bootInfo + HvtGuest.bootInfoSize
        public static let image: UInt64 = 0x10_0000
        public static let commandLineCapacity = 8192
    }

    static let bootInfoSize: UInt64 = 56
    static let largestMemory: UInt64 = 4 << 30
    static let granule: UInt64 = 2 << 20

    /// Bytes of memory for what was asked for.
    public static func rounded(_ memorySize: UInt64) -> UInt64 { memorySize & ~(granule - 1) }

    /// Checks the notes and the segments and plans the layout. Memory is rounded down to 2 MiB; with a ring it is larger
    /// by that much, unless it ends at 4 GiB already. There is one where the manifest has a network interface, unless
    /// `withRing` says otherwise.
    public init(
        _ image: borrowing ELFImage, memorySize: UInt64, withRing: Bool? = nil, manifest: Solo5Manifest? = nil
    ) throws(ImageError) {
        do throws(Solo5Error) {
            if let manifest { self.manifest = manifest } else { self.manifest = try image.hvtManifest }
            if image.isPositionIndependent { throw .notStatic }
            let withRing = withRing ?? self.manifest.devices.contains { $0.kind == .network }
            var size = Self.rounded(memorySize)
            if size == 0 || size > Self.largestMemory { throw .memorySize(memorySize) }
            if withRing { size = min(size + Self.granule, Self.largestMemory) }
            self.memorySize = size
            // A ring would be all of the smallest memory.
            let end = withRing && size >= 2 * Self.granule ? size - Self.granule : size
            ring = end..<size
            try checkSegments(image, end: end)
            if image.entry < Place.image || image.entry >= end { throw .entry(image.entry) }
            segments = image.segments
            entry = image.entry
            var layout = Layout(
                memorySize: size, image: image.pages, stack: end..<end, tables: Place.gdt..<Place.bootInfo,
                module: end..<end)
            (layout.low, layout.high) = (0..<size, 0..<0)
            self.layout = layout
        } catch { throw .solo5(error) }
    }

    /// Heap that a unikernel in ring 3 is shown only when it reaches for it. KVM keeps and clears ten bytes for each page of a slot
    /// before the guest starts: 0.4 ms for the usual 512 MiB, of which most unikernels touch a few. Empty where it is not worth it.
    public var farHeap: Range<UInt64> {
        let start = (layout.image.upperBound + 8 * Self.granule).roundedUp(Self.granule)
        let end = max(ring.lowerBound, Self.granule) - Self.granule  // where the stack is
        return end > start + 64 * Self.granule ? start..<end : memorySize..<memorySize
    }

    /// Where the image ends that the file has something of: the rest of it is memory that is zero anyway.
    var kernelEnd: UInt64 {
        segments.reduce(Place.image) { end, segment in
            segment.fileSize == 0 ? end : max(end, (segment.address + segment.memorySize).roundedUp(segment.alignment))
        }
    }

    /// What lies where, in the words of Swiftlet's own boot info.
    public var memoryMap: [swiftlet_memory_range] {
        func range(_ range: Range<UInt64>, _ type: Int32) -> swiftlet_memory_range {
            let size = range.upperBound - range.lowerBound
            return swiftlet_memory_range(start: range.lowerBound, size: size, type: UInt32(type), reserved: 0)
        }
        return [
            range(0..<Place.bootInfo, SWIFTLET_MEMORY_MACHINE),
            range(Place.bootInfo..<Place.image, SWIFTLET_MEMORY_BOOT_INFO),
            range(layout.image, SWIFTLET_MEMORY_IMAGE),
            range(layout.image.upperBound..<ring.lowerBound, SWIFTLET_MEMORY_FREE),
        ] + (ring.isEmpty ? [] : [range(ring, SWIFTLET_MEMORY_VCPU)])
    }
}

/// Of a segment that the file has something of: the stock tender loads no others.
private func checkSegments(_ image: borrowing ELFImage, end: UInt64) throws(Solo5Error) {
    for segment in image.segments where segment.fileSize > 0 {
        let first = segment.address & ~(segment.alignment - 1)
        let last = (segment.address + segment.memorySize).roundedUp(segment.alignment)
        if first < HvtGuest.Place.image { throw .segment(segment.address, "lies below 0x100000") }
        if last > end { throw .segment(segment.address, "is outside of memory, which ends at \(hex(end))") }
        if first % AddressMap.pageSize != 0 || last % AddressMap.pageSize != 0 {
            throw .segment(segment.address, "is not aligned to pages")
        }
    }
    // Those without content need memory all the same.
    if image.pages.upperBound > end {
        throw .segment(image.pages.upperBound, "is outside of memory, which ends at \(hex(end))")
    }
}

extension UInt64 {
    /// To a power of two.
    fileprivate func roundedUp(_ alignment: UInt64) -> UInt64 { (self + alignment - 1) & ~(alignment - 1) }
}

/// The descriptor table that it starts with: code by selector 8, data by selector 16, both DPL 0.
public enum HvtGDT {
    public static let base: UInt64 = 0x1000
    /// Bytes minus one.
    public static let limit: UInt16 = 23
    public static let (code, data): (UInt16, UInt16) = (8, 16)
    static let entries: [UInt64] = [0, 0x00af_9900_0000_ffff, 0x00cf_9300_0000_ffff]
}

extension HvtGuest {
    /// Fills memory, which must be zero; returns how the vCPU starts.
    public func install(
        _ image: borrowing ELFImage, in memory: borrowing GuestMemory, commandLine: String, tscFrequency: UInt64
    ) throws(ImageError) -> CPUState {
        try image.load(into: memory, bias: 0)
        for (index, entry) in HvtGDT.entries.enumerated() { put(entry, Place.gdt + UInt64(index) * 8, memory) }
        writePageTables(memory)
        try writeBootInfo(memory, commandLine, tscFrequency)
        // As after a call: the stack pointer is 8 below a multiple of 16 (System V psABI, section 3.2.2).
        return CPUState(
            rip: entry, rsp: ring.lowerBound - 8, rdi: Place.bootInfo, cr3: Place.pml4)
    }

    /// Four directories whether memory needs them or not, as the stock tender has it; entries only where memory is.
    private func writePageTables(_ memory: borrowing GuestMemory) {
        let table = PageFlags([.present, .writable]).rawValue
        put(Place.pdpt | table, Place.pml4, memory)
        for index in 0..<UInt64(4) {
            put((Place.directories + index << 12) | table, Place.pdpt + index * 8, memory)
        }
        put(Place.firstTable | table, Place.directories, memory)
        for page in Place.bootInfo >> 12..<512 {
            let flags: PageFlags = page << 12 < Place.image ? .present : [.present, .writable]
            put(page << 12 | flags.rawValue, Place.firstTable + page * 8, memory)
        }
        for leaf in 1..<max(memorySize >> 21, 1) {
            put(leaf << 21 | table | PageFlags.huge.rawValue, Place.directories + leaf * 8, memory)
        }
    }

    private func writeBootInfo(
        _ memory: borrowing GuestMemory, _ line: String, _ tscFrequency: UInt64
    ) throws(ImageError) {
        let manifest = manifest.bytes
        let commandLine = Place.manifest + UInt64(manifest.count)
        if line.utf8.count >= Place.commandLineCapacity {
            throw .solo5(.commandLineTooLong(size: line.utf8.count, limit: Place.commandLineCapacity - 1))
        }
        let features: UInt64 = ring.isEmpty ? 0 : 1  // HVT_FEATURE_NET_RING; the upper word is the guest's, and 0
        let words: [7 of UInt64] = [
            ring.lowerBound, kernelEnd, tscFrequency, commandLine, Place.manifest, features,
            ring.isEmpty ? 0 : ring.lowerBound,
        ]
        for index in words.indices { put(words[index], Place.bootInfo + UInt64(index) * 8, memory) }
        memory.write(bytes: manifest, at: GuestAddress(Place.manifest))
        memory.write(text: line, at: GuestAddress(commandLine))
    }

    private func put(_ value: UInt64, _ address: UInt64, _ memory: borrowing GuestMemory) {
        memory.write(value, at: GuestAddress(address))
    }
}
