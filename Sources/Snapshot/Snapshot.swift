// A snapshot, opened from its file and checked: header, state and table of memory, always, before anything is used.
//
// The file is hostile: sizes and offsets are checked against it, addresses against the machine's memory. The content of
// memory is checked by `verify`, which reads all of it. Read next: Restoring.swift (a machine from it).

import CABI
import CSnapshot
import Glibc
import GuestMemory
import Host
import VMM
import X86

/// A machine that was saved. Holds the file open; any number of machines can be made from it.
public struct Snapshot: ~Copyable, @unchecked Sendable {
    public let path: String
    /// Bytes.
    public let fileSize: UInt64
    /// The path of the image that the guest was started from.
    public let image: String
    let machine: csnapshot_machine
    let vcpu: [UInt8]
    let extents: [csnapshot_extent]
    let file: File

    /// Opens and checks a file: microseconds, whatever its size.
    public init(_ path: String) throws(SnapshotError) {
        let file = try snapshotIO(try File.regular(path))
        let size = try snapshotIO(try file.size())
        let reader = try SectionReader(path, file, size)
        var machine = csnapshot_machine()
        try reader.read(&machine, .machine, file)
        let vcpu = try reader.readList(of: UInt8(0), .vcpu, file)
        let image = try reader.readText(.image, file)
        let extents = try reader.readList(of: csnapshot_extent(), .extents, file)
        if !Self.makesSense(machine) { throw .damaged(path, part: SectionKind.machine.name) }
        // Sound: the shim looks at a struct of that size.
        if unsafe vcpu.count != Int(csnapshot_vcpu_size()) || csnapshot_vcpu_makes_sense(vcpu) == 0 {
            throw .damaged(path, part: SectionKind.vcpu.name)
        }
        if !Self.makesSense(extents, memorySize: machine.memory_size, fileSize: size) {
            throw .damaged(path, part: SectionKind.extents.name)
        }
        (self.path, self.machine, self.vcpu, self.image, self.extents, fileSize) = (
            path, machine, vcpu, image, extents, size
        )
        self.file = file
    }

    /// Bytes of the guest's memory.
    public var memorySize: UInt64 { machine.memory_size }

    /// Bytes of it that the file holds.
    public var savedBytes: UInt64 { extents.reduce(0) { $0 + UInt64($1.size) } }

    /// Reads all of the memory's content and compares it with its checksums.
    public func verify() throws(SnapshotError) {
        for extent in extents {
            let bytes = try snapshotIO(try file.read(at: extent.offset, Int(extent.size)))
            if bytes.count != Int(extent.size) {
                throw .truncated(path, size: extent.offset + UInt64(bytes.count), needed: fileSize)
            }
            if checksum(of: bytes) != extent.checksum {
                throw .damaged(path, part: "memory at \(GuestAddress(extent.address).description)")
            }
        }
    }

    private static func makesSense(_ machine: csnapshot_machine) -> Bool {
        let ends = [
            (machine.image_start, machine.image_end), (machine.stack_start, machine.stack_end),
            (machine.tables_start, machine.tables_end), (machine.module_start, machine.module_end),
        ]
        let isArmed = machine.timer_deadline != UInt64(SWIFTLET_NO_DEADLINE)
        return machine.vcpu_count == 1 && (1...UInt32(SWIFTLET_ABI_VERSION)).contains(machine.abi_version)
            && (Configuration.smallestMemory...1 << 46).contains(machine.memory_size)
            && machine.memory_size % Format.page == 0 && ends.allSatisfy { $0.0 <= $0.1 }
            && machine.clock < 1 << 60 && machine.waiting_vector < 256
            && (isArmed ? (32...255).contains(machine.timer_vector) : true)
    }

    /// Ascending and disjoint in memory, inside memory and file.
    private static func makesSense(_ extents: [csnapshot_extent], memorySize: UInt64, fileSize: UInt64) -> Bool {
        let (low, high) = AddressMap.memory(size: memorySize)
        var end = AddressMap.machine.lowerBound
        for extent in extents {
            let size = UInt64(extent.size)
            let room = extent.address < low.upperBound ? low.upperBound : high.upperBound
            guard extent.address >= end, (1...Format.largestExtent).contains(size),
                (extent.address | extent.offset | size) % Format.page == 0, extent.address <= room,
                size <= room - extent.address, extent.offset <= fileSize, size <= fileSize - extent.offset,
                extent.address < low.upperBound || extent.address >= high.lowerBound
            else { return false }
            end = extent.address + size
        }
        return true
    }
}

/// The header and its sections.
private struct SectionReader {
    let path: String
    let header: csnapshot_header

    init(_ path: String, _ file: borrowing File, _ size: UInt64) throws(SnapshotError) {
        var header = csnapshot_header()
        let isWhole = try snapshotIO(try file.read(&header, at: 0))
        if header.magic != Format.magic { throw .foreign(path) }
        if !isWhole { throw .truncated(path, size: size, needed: UInt64(MemoryLayout<csnapshot_header>.size)) }
        if header.format > Format.version { throw .newer(path, format: header.format) }
        var summed = header
        summed.checksum = 0
        if checksum(of: summed) != header.checksum || header.format == 0
            || header.section_count > UInt32(CSNAPSHOT_SECTIONS)
        {
            throw .damaged(path, part: "header")
        }
        if size < header.file_size { throw .truncated(path, size: size, needed: header.file_size) }
        if size > header.file_size { throw .damaged(path, part: "length") }
        self.path = path
        self.header = header
        for section in sections where SectionKind(rawValue: section.kind) == nil {
            if section.kind & UInt32(CSNAPSHOT_OPTIONAL) == 0 { throw .newer(path, format: header.format) }
        }
    }

    private var sections: [csnapshot_section] {
        let all = header.sections
        let list = [
            all.0, all.1, all.2, all.3, all.4, all.5, all.6, all.7,
            all.8, all.9, all.10, all.11, all.12, all.13, all.14, all.15,
        ]
        return Array(list.prefix(Int(header.section_count)))
    }

    /// The one section of a kind, inside the file.
    private func section(_ kind: SectionKind) throws(SnapshotError) -> csnapshot_section {
        let found = sections.filter { $0.kind == kind.rawValue }
        guard found.count == 1, let section = found.first, section.offset <= header.file_size,
            section.size <= header.file_size - section.offset
        else { throw .damaged(path, part: kind.name) }
        return section
    }

    func read<T: BitwiseCopyable>(_ value: inout T, _ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) {
        let section = try section(kind)
        guard section.size == UInt64(MemoryLayout<T>.size), try snapshotIO(try file.read(&value, at: section.offset)),
            checksum(of: value) == section.checksum
        else { throw .damaged(path, part: kind.name) }
    }

    func readList<T: BitwiseCopyable>(
        of zero: T, _ kind: SectionKind, _ file: borrowing File
    ) throws(SnapshotError) -> [T] {
        let section = try section(kind)
        let stride = UInt64(MemoryLayout<T>.stride)
        guard section.size % stride == 0, section.size / stride <= UInt64(Format.mostExtents),
            let list = try snapshotIO(try file.readList(of: zero, Int(section.size / stride), at: section.offset)),
            checksum(of: list) == section.checksum
        else { throw .damaged(path, part: kind.name) }
        return list
    }

    func readText(_ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) -> String {
        let bytes = try readList(of: UInt8(0), kind, file)
        guard bytes.count <= Int(Format.longestPath), let text = String(validating: bytes, as: UTF8.self) else {
            throw .damaged(path, part: kind.name)
        }
        return text
    }
}
