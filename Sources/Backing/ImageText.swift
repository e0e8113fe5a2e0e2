// `--map-image`: large read-only segments of an image are mapped from its file, not copied.
//
// A start then costs the same whatever the image's size, and what no guest touches is in no memory, or once for all guests
// of a host. Not by default: a guest that touches all of it pays more (a fault for each 4 KiB, and no huge pages), and it
// sees what is written into the file while it runs. The mapping is private: what a guest writes there is its own, so no
// slot need be read-only. Read next: BusErrors.swift.

import Boot
import CBacking
import Glibc
import GuestMemory

/// The segments that are mapped. Holds the descriptor, not the file: it must stay open.
public struct ImageText: Sendable {
    /// Bit n: segment n is in memory already.
    public private(set) var mapped: UInt32 = 0
    private let fd: Int32
    /// The file must be at least that long.
    private var end: UInt64 = 0
    /// Nil when nothing is mapped.
    private var watch: BusErrorWatch?

    /// Below this a copy is cheaper than what a mapping costs later.
    public static let smallest: UInt64 = 1 << 20

    /// Maps what can be mapped; `segments` are where they shall lie, checked against the file.
    public init(_ segments: ELFSegments, fd: Int32, in memory: borrowing GuestMemory) throws(BackingError) {
        self.fd = fd
        for (index, segment) in segments.enumerated() {
            if segment.flags.contains(.writable) || segment.fileSize < Self.smallest { continue }
            if (segment.offset | segment.address) & 4095 != 0 { continue }
            guard try map(segment, memory) else { continue }
            mapped |= 1 << UInt32(index)
            end = max(end, segment.offset + segment.fileSize)
        }
        if mapped != 0 { watch = try BusErrorWatch(memory) }
    }

    /// False when the loader has to say what is wrong. Whole pages are mapped; the rest of the last one is copied, because zeros must follow it.
    private func map(_ segment: ELFSegment, _ memory: borrowing GuestMemory) throws(BackingError) -> Bool {
        let place = GuestAddress(segment.address)
        guard let target = unsafe memory.pointer(place, segment.memorySize) else { return false }
        let whole = Int(segment.fileSize & ~4095)
        // Sound: the gate has granted the range, and what it held is replaced before anybody reads it.
        let start = unsafe mmap(
            target, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, off_t(segment.offset))
        if unsafe start == MAP_FAILED { throw .call("mmap", errno: errno) }
        let rest = Int(segment.fileSize) - whole
        let read = unsafe pread(fd, target + whole, rest, off_t(segment.offset) + off_t(whole))
        if read != rest { throw .call("read", errno: read < 0 ? errno : EIO) }
        return true
    }

    /// Whether we read a page that was no longer there.
    public var pageWasLost: Bool { watch?.sawLoss == true }

    /// Whether the file lost pages that are mapped.
    public var isCutShort: Bool {
        if mapped == 0 { return false }
        let size = cbacking_size(fd)
        return size >= 0 && UInt64(size) < end
    }
}
