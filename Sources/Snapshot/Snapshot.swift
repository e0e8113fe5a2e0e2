// A snapshot, opened from its file and checked: header, state and table of memory, always, before anything is used.
//
// The file is hostile: sizes and offsets are checked against it, addresses against the machine's memory. The content of
// memory is checked by `verify`, which reads all of it. A file that was written on top of another has that opened too.
// Read next: SectionReader.swift, Parent.swift, then Restoring.swift (a machine from it).

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
    let header: csnapshot_header
    let machine: csnapshot_machine
    /// Of memory that may grow, or has.
    let growth: csnapshot_growth?
    let vcpu: Bytes
    /// Of a machine with several vCPUs.
    let others: Bytes?
    let extents: Extents
    /// What this file was written on top of; nil when it stands alone.
    let parent: ParentSnapshot?
    let file: File

    /// Opens and checks a file and those that it was written on top of: microseconds, whatever their size.
    public init(_ path: String) throws(SnapshotError) { try self.init(path, for: nil) }

    /// `child`: what a file that needs this one knows of it.
    init(_ path: String, for child: ParentReference?) throws(SnapshotError) {
        let file = try snapshotIO(try File.regular(path))
        let size = try snapshotIO(try file.size())
        let reader = try SectionReader(path, file, size)
        try child?.check(reader, file)
        var machine = csnapshot_machine()
        try reader.read(&machine, .machine, file)
        let vcpu = try reader.readBytes(.vcpu, file)
        let image = try reader.readText(.image, file)
        let extents = Extents(try reader.readBytes(.extents, file))
        let others = reader.has(.others) ? try reader.readBytes(.others, file) : nil
        let growth = reader.has(.growth) ? try reader.readGrowth(file) : nil
        let parent = reader.has(.parent) ? try ParentSnapshot(reader, file, below: child) : nil
        if !Self.makesSense(machine) { throw .damaged(path, part: SectionKind.machine.name) }
        if let growth, !Self.makesSense(growth, machine.memory_size) {
            throw .damaged(path, part: SectionKind.growth.name)
        }
        // Sound: the shim looks at a struct of that size.
        if unsafe vcpu.count != Int(csnapshot_vcpu_size()) || csnapshot_vcpu_makes_sense(vcpu.start) == 0 {
            throw .damaged(path, part: SectionKind.vcpu.name)
        }
        if !OtherVCPUs(others).makeSense(count: Int(machine.vcpu_count) - 1) {
            throw .damaged(path, part: SectionKind.others.name)
        }
        let (low, high) = Self.memory(machine, growth)
        if !extents.makeSense(low: low, high: high, fileSize: size, hasParent: parent != nil) {
            throw .damaged(path, part: SectionKind.extents.name)
        }
        if let parent, !parent.fits(low, high) { throw .damaged(path, part: SectionKind.parent.name) }
        (self.path, self.machine, self.vcpu, self.image, self.extents, fileSize) = (
            path, machine, vcpu, image, extents, size
        )
        (header, self.growth, self.parent, self.others) = (reader.header, growth, parent, others)
        self.file = file
    }

    /// For a process that keeps only what it needs.
    package var fd: Int32 { file.fd }

    /// Bytes of the guest's memory, as it started.
    public var memorySize: UInt64 { machine.memory_size }

    /// Bytes of memory that the file itself holds.
    public var savedBytes: UInt64 {
        extents.indices.reduce(0) { $0 + (extents[$1].offset == 0 ? 0 : UInt64(extents[$1].size)) }
    }

    /// Memory below and above the hole under 4 GiB.
    var memory: (low: Range<UInt64>, high: Range<UInt64>) { Self.memory(machine, growth) }

    private static func memory(
        _ machine: csnapshot_machine, _ growth: csnapshot_growth?
    ) -> (low: Range<UInt64>, high: Range<UInt64>) {
        let (low, high) = AddressMap.memory(size: machine.memory_size)
        return (low, growth.map { AddressMap.hole.upperBound..<$0.end } ?? high)
    }

    /// Reads all of the memory's content, the parents' too, and compares it with its checksums.
    public func verify() throws(SnapshotError) {
        _ = try identity()
        for index in extents.indices where extents[index].offset != 0 {
            let extent = extents[index]
            let bytes = try snapshotIO(try file.read(at: extent.offset, Int(extent.size)))
            if bytes.count != Int(extent.size) {
                throw .truncated(path, size: extent.offset + UInt64(bytes.count), needed: fileSize)
            }
            if checksum(of: bytes) != extent.checksum {
                throw .damaged(path, part: "memory at \(GuestAddress(extent.address).description)")
            }
        }
        try parent?.snapshot.verify()
    }

    /// Random bytes that name the file; nil in a file that an older swiftlet wrote.
    func identity() throws(SnapshotError) -> csnapshot_identity? {
        let reader = SectionReader(path, header)
        return reader.has(.identity) ? try reader.readIdentity(file) : nil
    }

    private static func makesSense(_ machine: csnapshot_machine) -> Bool {
        let isArmed = machine.timer_deadline != UInt64(SWIFTLET_NO_DEADLINE)
        return (1...UInt32(Configuration.mostCPUsOfGuest)).contains(machine.vcpu_count)
            && (1...UInt32(SWIFTLET_ABI_VERSION)).contains(machine.abi_version)
            && (Configuration.smallestMemory...1 << 46).contains(machine.memory_size)
            && machine.memory_size % Format.page == 0 && machine.image_start <= machine.image_end
            && machine.stack_start <= machine.stack_end && machine.tables_start <= machine.tables_end
            && machine.module_start <= machine.module_end
            && machine.clock < 1 << 60 && machine.waiting_vector < 256
            && (isArmed ? (32...255).contains(machine.timer_vector) : true)
    }

    /// As GrowthPlan makes one, with an end that grow calls can have led to.
    private static func makesSense(_ growth: csnapshot_growth, _ size: UInt64) -> Bool {
        let unit = AddressMap.hugePageSize
        guard (growth.maximum | growth.step | growth.end | size) % unit == 0, growth.step.nonzeroBitCount == 1,
            growth.maximum >= size, growth.maximum <= 1 << 40
        else { return false }
        let (low, high) = AddressMap.memory(size: size)
        let first = high.isEmpty ? AddressMap.hole.upperBound : high.upperBound
        return growth.end >= first && growth.end <= AddressMap.hole.upperBound + growth.maximum - low.upperBound
    }
}
