// A snapshot, opened from its file and checked: header, state and table of memory, always, before anything is used.
//
// The file is hostile: sizes and offsets are checked against it, addresses against the machine's memory. The content of
// memory is checked by `verify`, which reads all of it. Read next: Bytes.swift, Extents.swift, then Restoring.swift (a machine from it).

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
    let vcpu: Bytes
    let extents: Extents
    let file: File

    /// Opens and checks a file: microseconds, whatever its size.
    public init(_ path: String) throws(SnapshotError) {
        let file = try snapshotIO(try File.regular(path))
        let size = try snapshotIO(try file.size())
        let reader = try SectionReader(path, file, size)
        var machine = csnapshot_machine()
        try reader.read(&machine, .machine, file)
        let vcpu = try reader.readBytes(.vcpu, file)
        let image = try reader.readText(.image, file)
        let extents = Extents(try reader.readBytes(.extents, file))
        if !Self.makesSense(machine) { throw .damaged(path, part: SectionKind.machine.name) }
        // Sound: the shim looks at a struct of that size.
        if unsafe vcpu.count != Int(csnapshot_vcpu_size()) || csnapshot_vcpu_makes_sense(vcpu.start) == 0 {
            throw .damaged(path, part: SectionKind.vcpu.name)
        }
        if !extents.makeSense(memorySize: machine.memory_size, fileSize: size) {
            throw .damaged(path, part: SectionKind.extents.name)
        }
        (self.path, self.machine, self.vcpu, self.image, self.extents, fileSize) = (
            path, machine, vcpu, image, extents, size
        )
        self.file = file
    }

    /// For a process that keeps only what it needs.
    package var fd: Int32 { file.fd }

    /// Bytes of the guest's memory.
    public var memorySize: UInt64 { machine.memory_size }

    /// Bytes of it that the file holds.
    public var savedBytes: UInt64 { extents.indices.reduce(0) { $0 + UInt64(extents[$1].size) } }

    /// Reads all of the memory's content and compares it with its checksums.
    public func verify() throws(SnapshotError) {
        for index in extents.indices {
            let extent = extents[index]
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
        let isArmed = machine.timer_deadline != UInt64(SWIFTLET_NO_DEADLINE)
        return machine.vcpu_count == 1 && (1...UInt32(SWIFTLET_ABI_VERSION)).contains(machine.abi_version)
            && (Configuration.smallestMemory...1 << 46).contains(machine.memory_size)
            && machine.memory_size % Format.page == 0 && machine.image_start <= machine.image_end
            && machine.stack_start <= machine.stack_end && machine.tables_start <= machine.tables_end
            && machine.module_start <= machine.module_end
            && machine.clock < 1 << 60 && machine.waiting_vector < 256
            && (isArmed ? (32...255).contains(machine.timer_vector) : true)
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
        if unsafe withUnsafePointer(to: header, { unsafe csnapshot_has_unknown($0) }) != 0 {
            throw .newer(path, format: header.format)
        }
    }

    /// The one section of a kind, inside the file.
    private func section(_ kind: SectionKind) throws(SnapshotError) -> csnapshot_section {
        var section = csnapshot_section()
        // Sound, here and above: the shim looks at one header, no further than its table.
        let count = unsafe withUnsafePointer(to: header) { unsafe csnapshot_find($0, kind.rawValue, &section) }
        guard count == 1, section.offset <= header.file_size, section.size <= header.file_size - section.offset
        else { throw .damaged(path, part: kind.name) }
        return section
    }

    func read<T: BitwiseCopyable>(_ value: inout T, _ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) {
        let section = try section(kind)
        guard section.size == UInt64(MemoryLayout<T>.size), try snapshotIO(try file.read(&value, at: section.offset)),
            checksum(of: value) == section.checksum
        else { throw .damaged(path, part: kind.name) }
    }

    func readBytes(_ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) -> Bytes {
        let section = try section(kind)
        guard section.size <= Format.largestSection,
            let bytes = try snapshotIO(try Bytes(file, at: section.offset, count: Int(section.size))),
            bytes.checksum == section.checksum
        else { throw .damaged(path, part: kind.name) }
        return bytes
    }

    func readText(_ kind: SectionKind, _ file: borrowing File) throws(SnapshotError) -> String {
        let bytes = try readBytes(kind, file)
        guard bytes.count <= Int(Format.longestPath), let text = bytes.text else {
            throw .damaged(path, part: kind.name)
        }
        return text
    }
}
