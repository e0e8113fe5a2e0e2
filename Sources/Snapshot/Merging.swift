// A chain of snapshots becomes one file that stands alone: `swiftlet snapshot --merge FILE --output NEW`.
//
// The chain is mapped as for a restore, without a machine; all of its content is checked first, for the new file will vouch
// for it. Read next: Running.swift.

import CSnapshot
import GuestMemory
import Host
import VMM

extension Snapshot {
    /// How many files it was written on top of.
    public var parentCount: Int { Int(parent?.depth ?? 0) }

    /// Writes what this file and its parents hold into one file, in the place of one that may be there (also of this one).
    /// Returns its size in bytes. Whoever may cut a file short meanwhile: `guardAgainstTruncation`.
    /// A parent's place is refused: the files between it and this one would lose what they are on top of.
    public func merge(into path: String) throws(SnapshotError) -> UInt64 {
        if let parent, parent.snapshot.paths.contains(absolutePath(path)) {
            throw .unsupported("\(path): \(self.path) was written on top of it, and others may be: choose another name")
        }
        do throws(HostError) { try checkReplaceable(path, for: path) } catch { throw .host(error) }
        try verify()
        let room = try reserve()
        try map(into: room)
        var ranges: [Range<UInt64>] = []
        for range in saved { MemoryScan(memory: room.hostBase, range).add(to: &ranges) }
        let parts = SnapshotParts(
            machine: machine, vcpu: vcpu.list, others: others?.list ?? [], image: Array(image.utf8), growth: growth)
        let written = try writeSnapshot(
            parts, MemoryScan.wellMerged(ranges).map { SavedRange(range: $0) }, memory: room.hostBase, to: path)
        withExtendedLifetime(room) {}
        return written.size
    }

    /// What any file of the chain says something of: ascending, disjoint.
    private var saved: [Range<UInt64>] {
        let all = tables.flatMap { table in
            table.indices.map { table[$0].address..<table[$0].address + UInt64(table[$0].size) }
        }
        return all.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { result, range in
            if let last = result.last, range.lowerBound <= last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
    }
}
