// Snapshots of one machine to one path, of which all but the first hold only what has changed: `--snapshot-incremental`.
//
// The newest always has the path's name. Before it takes that, the file that had it gets a second one, PATH.1, PATH.2 and so
// on, which the new one refers to: at any time PATH is a whole chain, the old or the new. Where an increment cannot be
// (the chain is long, somebody replaced the file, its file system has no hard links) a whole snapshot is written.
// Read next: Merging.swift.

import CSnapshot
import Glibc
import Host
import VMM

/// A machine's snapshots. Not for several threads.
public final class SnapshotSeries {
    public let path: String
    /// What may have changed since the file at `path`.
    private var pages = DirtyPages()
    private var isLogging = false
    /// The file at `path`, if we wrote it.
    private var last: WrittenFile?
    /// Its parents, the oldest first, with their names.
    private var parents: [(name: String, file: WrittenFile)] = []
    /// What a restore of `last` takes at most: a range of the oldest file is one, as is the gap behind it, and each later
    /// range can cut one in three.
    private var mappings = 0

    /// Increments between two whole files: what a restore has to open, and what a lost file costs.
    static let longest = 16
    /// Of the 65,530 that a process may have (vm.max_map_count).
    static let mostMappings = 60_000

    public init(_ path: String) { self.path = path }

    /// Writes a snapshot of a machine that is paused; always the same one. `byGuest` as for `Machine.save`.
    public func save(_ machine: Machine, byGuest: Bool) throws(SnapshotError) -> SavedSnapshot {
        let start = Clock.monotonic()
        var saved = try machine.answering(byGuest) { () throws(SnapshotError) in try write(machine) }
        saved.nanoseconds = Clock.monotonic() - start
        return saved
    }

    private func write(_ machine: Machine) throws(SnapshotError) -> SavedSnapshot {
        do throws(SnapshotError) { try track(machine) } catch {
            return try writeWhole(machine, why: error.message)
        }
        guard let last else { return try writeWhole(machine, why: nil) }
        let ranges = MemoryScan.increment(of: machine, pages)
        if parents.count >= Self.longest || mappings + 2 * ranges.count > Self.mostMappings {
            return try replaceChain(machine, last)
        }
        guard let name = keep(last) else {
            return try writeWhole(machine, why: "\(path) is not what it was, or cannot have a second name")
        }
        return try writeIncrement(machine, ranges, on: last, name)
    }

    /// Brings `pages` up to date.
    private func track(_ machine: Machine) throws(SnapshotError) {
        if !isLogging { try DirtyPages.start(machine) }
        isLogging = true
        try snapshotKVM(try pages.take(from: machine))
    }

    private func writeWhole(_ machine: Machine, why: String?) throws(SnapshotError) -> SavedSnapshot {
        let written = try machine.saveAll(to: path)
        last = isLogging ? written : nil
        (parents, mappings) = ([], 2 * written.rangeCount)
        pages.removeAll()
        return SavedSnapshot(fileSize: written.size, nanoseconds: 0, whyWhole: why)
    }

    /// A whole file in the place of a chain whose parts we have made: they go, for they are of use to it alone.
    private func replaceChain(_ machine: Machine, _ last: WrittenFile) throws(SnapshotError) -> SavedSnapshot {
        let old = isThere(last, at: path) ? parents : []
        let saved = try writeWhole(machine, why: "it ends a chain of \(parents.count + 1)")
        for parent in old where isThere(parent.file, at: prefix(of: path) + parent.name) {
            unsafe unlink(prefix(of: path) + parent.name)
        }
        return saved
    }

    private func writeIncrement(
        _ machine: Machine, _ ranges: [SavedRange], on last: WrittenFile, _ name: String
    ) throws(SnapshotError) -> SavedSnapshot {
        do throws(SnapshotError) {
            var parts = try machine.parts()
            let record = csnapshot_parent(
                identity: last.identity, file_size: last.size, checksum: last.checksum,
                depth: UInt32(parents.count + 1))
            // Sound: the bytes of one value.
            parts.parent = unsafe withUnsafeBytes(of: record) { unsafe Array($0) } + Array(name.utf8)
            let written = try writeSnapshot(
                parts, ranges, memory: machine.platform.memory.hostBase, to: path, unless: { machine.isCutShort })
            self.last = written
            parents.append((name, last))
            mappings += 2 * ranges.count
            pages.removeAll()
            return SavedSnapshot(fileSize: written.size, nanoseconds: 0, parent: name)
        } catch {
            unsafe unlink(prefix(of: path) + name)
            throw error
        }
    }

    /// Gives the file at `path` a second name, in the same folder, that nothing had; nil when that cannot be, or when the file
    /// is no longer the one that we wrote.
    private func keep(_ last: WrittenFile) -> String? {
        let name = String(path[prefix(of: path).endIndex...])
        for number in parents.count + 1...parents.count + 10_000 {
            let second = "\(path).\(number)"
            if unsafe link(path, second) != 0 {
                if errno == EEXIST { continue }
                return nil
            }
            if isThere(last, at: second) {
                bringFolderToDisk(of: path)
                return "\(name).\(number)"
            }
            unsafe unlink(second)
            return nil
        }
        return nil
    }

    private func isThere(_ written: WrittenFile, at path: String) -> Bool {
        var header = csnapshot_header()
        do throws(HostError) {
            guard try File.regular(path).read(&header, at: 0) else { return false }
        } catch { return false }
        return header.checksum == written.checksum && header.file_size == written.size
    }
}
