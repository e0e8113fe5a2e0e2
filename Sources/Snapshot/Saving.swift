// A paused machine becomes a file: vCPU state, the VMM's own, and every page that is not zero.
//
// The guest must be paused (a run that ended with `.paused`): then its vCPU is at an instruction boundary, with no exit
// half done. It can go on afterwards. Read next: Running.swift.

import CABI
import CSnapshot
import GuestMemory
import Host
import KVM
import VMM
import X86

/// What was written.
public struct SavedSnapshot: Sendable {
    public let fileSize: UInt64
    /// From the pause to the file under its name.
    public let nanoseconds: UInt64
}

extension Machine {
    /// Writes a snapshot of this paused machine, in the place of a file that may be there: the old or the new one is
    /// there at any time, never a half.
    ///
    /// `byGuest`: the guest asked for it by its call, and its result is put into both guests' call pages.
    public func save(to path: String, byGuest: Bool) throws(SnapshotError) -> SavedSnapshot {
        let start = Clock.monotonic()
        let result = GuestAddress(AddressMap.callPage(vcpu: 0))
        if byGuest { platform.memory.write(Int64(SWIFTLET_SNAPSHOT_RESTORED), at: result) }
        do throws(SnapshotError) {
            let size = try write(path)
            if byGuest { platform.memory.write(Int64(SWIFTLET_SNAPSHOT_SAVED), at: result) }
            return SavedSnapshot(fileSize: size, nanoseconds: Clock.monotonic() - start)
        } catch {
            if byGuest { platform.memory.write(Int64(SWIFTLET_SNAPSHOT_NONE), at: result) }
            throw error.about(path)
        }
    }

    private func write(_ path: String) throws(SnapshotError) -> UInt64 {
        if origin.features.leaf1_ecx & 1 << 20 == 0 { throw .unsupported("snapshots need a CPU with SSE4.2") }
        if platform.memory.high.count != platform.layout.high.count {
            throw .unsupported("the guest's memory has grown, and grown memory cannot be saved")
        }
        let kvm = try snapshotKVM(try KVM())
        let (machine, vcpu) = try snapshotKVM(try state(kvm))
        let ranges = try MemoryScan.ranges(of: self)
        var new = try NewFile(path)
        let image = Array(absolutePath(configuration.image).utf8)
        var writer = SectionWriter(extentCount: extentCount(ranges), pathSize: image.count)
        try snapshotIO(try writer.add(.machine, machine, to: new.file))
        try snapshotIO(try writer.add(.vcpu, list: vcpu, to: new.file))
        try snapshotIO(try writer.add(.image, list: image, to: new.file))
        let extents = try snapshotIO(try writeMemory(ranges, to: new.file, at: writer.dataStart))
        try snapshotIO(try writer.add(.extents, list: extents, to: new.file))
        let size = extents.last.map { $0.offset + UInt64($0.size) } ?? writer.dataStart
        try snapshotIO(try new.file.truncate(size))
        if isCutShort { throw .unsupported("a file under the guest's memory was cut short") }
        try snapshotIO(try writer.finish(fileSize: size, new.file))
        try new.publish()
        return size
    }

    private func state(_ kvm: borrowing KVM) throws(KVMError) -> (csnapshot_machine, [UInt8]) {
        try vcpu.loop.withLock { loop throws(KVMError) in
            var machine = describe()
            machine.timer_deadline = loop.context.timer.deadline
            machine.timer_vector = UInt32(loop.context.timer.vector)
            if loop.context.injected != 0, loop.vcpu.holdsInterrupt {
                machine.waiting_vector = UInt32(loop.context.injected)
            }
            let words = loop.context.handled.words
            machine.handled = (words[0], words[1], words[2], words[3])
            return (machine, try loop.vcpu.image(comparedWith: kvm))
        }
    }

    private func describe() -> csnapshot_machine {
        let layout = platform.layout
        var machine = csnapshot_machine()
        machine.abi_version = UInt32(SWIFTLET_ABI_VERSION)
        machine.vcpu_count = 1
        machine.memory_size = layout.memorySize
        (machine.image_start, machine.image_end) = (layout.image.lowerBound, layout.image.upperBound)
        (machine.stack_start, machine.stack_end) = (layout.stack.lowerBound, layout.stack.upperBound)
        (machine.tables_start, machine.tables_end) = (layout.tables.lowerBound, layout.tables.upperBound)
        (machine.module_start, machine.module_end) = (layout.module.lowerBound, layout.module.upperBound)
        machine.bias = guest.bias
        (machine.image_size, machine.image_modified) = (origin.stamp.size, origin.stamp.modified)
        machine.clock = platform.clock.now()
        let words = featureWords(origin.features)
        machine.features = (words[0], words[1], words[2], words[3], words[4], words[5], words[6], 0)
        machine.xcr0 = origin.features.xcr0
        machine.maker = processorMaker()
        return machine
    }

    /// Writes the ranges one behind the other; where each piece lies, and its checksum.
    private func writeMemory(
        _ ranges: [Range<UInt64>], to file: borrowing File, at start: UInt64
    ) throws(HostError) -> [csnapshot_extent] {
        var extents: [csnapshot_extent] = []
        var offset = start
        for range in ranges {
            for address in stride(from: range.lowerBound, to: range.upperBound, by: Int(Format.largestExtent)) {
                let size = min(Format.largestExtent, range.upperBound - address)
                let host = platform.memory.hostBase + UInt(address)
                try file.write(address: host, size, at: offset)
                extents.append(
                    csnapshot_extent(
                        address: address, offset: offset, size: UInt32(size), checksum: checksum(at: host, size)))
                offset += size
            }
        }
        return extents
    }
}

/// Up to 32 bytes of text, as words.
private func textWords(_ text: String) -> (UInt64, UInt64, UInt64, UInt64) {
    let bytes = Array(text.utf8.prefix(32))
    func word(_ index: Int) -> UInt64 {
        bytes.dropFirst(8 * index).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    return (word(0), word(1), word(2), word(3))
}

private func extentCount(_ ranges: [Range<UInt64>]) -> Int {
    ranges.reduce(0) { $0 + ($1.count + Int(Format.largestExtent) - 1) / Int(Format.largestExtent) }
}

/// Lays out the file: header, sections, and from the next page on the memory.
private struct SectionWriter {
    private var header = csnapshot_header()
    private var next = Format.page
    let dataStart: UInt64

    init(extentCount: Int, pathSize: Int) {
        let fixed = MemoryLayout<csnapshot_machine>.size + Int(csnapshot_vcpu_size()) + pathSize
        let tables = fixed + extentCount * MemoryLayout<csnapshot_extent>.stride + 4 * 16  // each on a multiple of 16
        dataStart = (Format.page + UInt64(tables) + Format.page - 1) & ~(Format.page - 1)
    }

    mutating func add<T: BitwiseCopyable>(
        _ kind: SectionKind, _ value: T, to file: borrowing File
    ) throws(HostError) {
        try file.write(value: value, at: next)
        note(kind, size: MemoryLayout<T>.size, checksum(of: value))
    }

    mutating func add<T: BitwiseCopyable>(
        _ kind: SectionKind, list: [T], to file: borrowing File
    ) throws(HostError) {
        try file.write(list: list, at: next)
        note(kind, size: list.count * MemoryLayout<T>.stride, checksum(of: list))
    }

    private mutating func note(_ kind: SectionKind, size: Int, _ checksum: UInt32) {
        let section = csnapshot_section(kind: kind.rawValue, checksum: checksum, offset: next, size: UInt64(size))
        switch kind {
        case .machine: header.sections.0 = section
        case .vcpu: header.sections.1 = section
        case .image: header.sections.2 = section
        case .extents: header.sections.3 = section
        }
        next = (next + UInt64(size) + 15) & ~15
    }

    /// The header comes last: a file without one is none.
    mutating func finish(fileSize: UInt64, _ file: borrowing File) throws(HostError) {
        header.magic = Format.magic
        header.format = Format.version
        header.file_size = fileSize
        header.created = UInt64(Clock.realtime().seconds)
        header.section_count = UInt32(SectionKind.allCases.count)
        header.program = textWords("swiftlet \(swiftletVersion)")
        header.checksum = checksum(of: header)
        try file.write(value: header, at: 0)
    }
}
