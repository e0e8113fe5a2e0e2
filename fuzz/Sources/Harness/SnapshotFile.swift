// A snapshot's file in the making: right, then edited, with checksums that agree again if the input wants them to.
//
// A file is 20 KB of which some hundred bytes matter, and checksums vouch for all: chance alone would never get behind them.
// The layout is docs/snapshots.md's. Read next: SnapshotRun.swift.

import CSnapshot
import ImageBuilder

struct SnapshotFile {
    private(set) var bytes: [UInt8]
    /// Where each part lies: the header, then each section.
    private var parts: [Range<Int>] = [0..<MemoryLayout<csnapshot_header>.size]
    private var kinds: [UInt32] = []

    /// One MiB of memory of which the file holds two pages.
    init(cpus: Int, grows: Bool, parent: SnapshotFile?, parentName: String) {
        bytes = [UInt8](repeating: 0, count: MemoryLayout<csnapshot_header>.size)
        let state = [UInt8](repeating: 0, count: Int(csnapshot_vcpu_size()))
        add(CSNAPSHOT_MACHINE, Self.machine(cpus, memorySize: grows ? 2 << 20 : 1 << 20))
        add(CSNAPSHOT_VCPU, state)
        add(CSNAPSHOT_IMAGE, Array("/guest.elf".utf8))
        add(CSNAPSHOT_EXTENTS, Self.extents(hasParent: parent != nil))
        if grows { add(CSNAPSHOT_GROWTH, Self.numbers(8 << 20, 2 << 20, 4 << 30, 0)) }
        if let parent {
            add(
                CSNAPSHOT_PARENT,
                Self.identity + Self.numbers(UInt64(parent.bytes.count), UInt64(parent.checksum) | 1 << 32)
                    + Array(parentName.utf8))
        }
        let other = Self.numbers(.max, 0, 1) + state
        if cpus > 1 { add(CSNAPSHOT_OTHERS, (1..<cpus).flatMap { _ in other }) }
        add(Int32(bitPattern: CSNAPSHOT_IDENTITY), Self.identity)
        bytes += [UInt8](repeating: 0, count: Self.pages + 8192 - bytes.count)
        putHeader()
        renewChecksums()
    }

    /// Where the memory's content lies in the file.
    private static let pages = 0x10_000
    private static let identity = numbers(0x0123_4567, 0x89ab_cdef)

    private static func numbers(_ values: UInt64...) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in values { bytes.append64(value) }
        return bytes
    }

    private static func machine(_ cpus: Int, memorySize: UInt64) -> [UInt8] {
        var machine = csnapshot_machine()
        (machine.abi_version, machine.vcpu_count, machine.memory_size) = (1, UInt32(cpus), memorySize)
        (machine.image_start, machine.image_end, machine.timer_deadline) = (0x4_0000, 0x5_0000, .max)
        return withUnsafeBytes(of: machine) { Array($0) }
    }

    /// A page, another, and with a parent one of zeros in the place of the parent's.
    private static func extents(hasParent: Bool) -> [UInt8] {
        let list = [(0x4_0000, pages), (0x5_0000, pages + 4096)] + (hasParent ? [(0x6_0000, 0)] : [])
        return list.flatMap { address, offset in numbers(UInt64(address), UInt64(offset), 4096) }
    }

    private mutating func add(_ kind: Int32, _ content: [UInt8]) {
        parts.append(bytes.count..<bytes.count + content.count)
        kinds.append(UInt32(bitPattern: kind))
        bytes += content
    }

    private mutating func putHeader() {
        bytes.patch(0, UInt64(CSNAPSHOT_MAGIC))
        bytes.patch(8, UInt32(1))
        bytes.patch(16, UInt64(bytes.count))
        bytes.patch(64, UInt32(kinds.count))
        for (index, kind) in kinds.enumerated() {
            bytes.patch(Self.entry(index), kind)
            bytes.patch(Self.entry(index) + 8, UInt64(parts[index + 1].lowerBound))
            bytes.patch(Self.entry(index) + 16, UInt64(parts[index + 1].count))
        }
    }

    private static func entry(_ index: Int) -> Int { 72 + 24 * index }

    /// Writes the lower bytes of a value somewhere into the header or a section.
    mutating func edit(part: Int, offset: Int, width: Int, _ value: UInt64) {
        let part = parts[part % parts.count]
        for index in 0..<width where part.contains(part.lowerBound + offset + index) {
            bytes[part.lowerBound + offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }

    /// Of the sections as the header now has them, where they lie in the file, and of the header.
    mutating func renewChecksums() {
        for index in 0..<Int(CSNAPSHOT_SECTIONS) {
            let (start, size) = (number(Self.entry(index) + 8), number(Self.entry(index) + 16))
            guard start <= UInt64(bytes.count), size <= UInt64(bytes.count) - start else { continue }
            bytes.patch(Self.entry(index) + 4, Self.sum(bytes[Int(start)..<Int(start + size)]))
        }
        bytes.patch(12, UInt32(0))
        bytes.patch(12, Self.sum(bytes[parts[0]]))
    }

    private var checksum: UInt32 { UInt32(truncatingIfNeeded: number(12)) }

    private func number(_ offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    private static func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { csnapshot_crc32c($0.baseAddress, UInt64($0.count)) }
    }
}
