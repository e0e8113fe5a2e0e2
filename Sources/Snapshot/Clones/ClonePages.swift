// A clone's memory back to the snapshot's: what it wrote is found, and copied back when it is little, dropped when it is much.
//
// Copying a page back is cheap, and the next life finds it mapped and its own; dropping it gives the memory back, and the
// next life that writes there takes two faults (docs/pools.md has both by number of pages). Which pages a clone has of its
// own is the kernel's to say: of a private mapping those that are no file's. Read next: CloneReset.swift.

import CSnapshot
import Glibc
import GuestMemory
import Host
import VMM
import X86

struct ClonePages: ~Copyable {
    private let source: CloneSource
    private var runs: [cclone_run]
    /// Whether this kernel has PAGEMAP_SCAN.
    private var scans = true
    /// Pages that the last reset found to be the clone's own.
    private(set) var count = 0

    /// More runs than this are dropped, however short: they are more pages than are kept anyway, or strewn about.
    private static let mostRuns = 512

    init(_ source: CloneSource) {
        self.source = source
        runs = Array(repeating: cclone_run(), count: Self.mostRuns)
    }

    /// Whether one of the snapshot's page tables is not what it was. To be asked before `clean`.
    func tablesChanged(in memory: borrowing GuestMemory) -> Bool {
        guard let tables = source.tables else { return true }
        for table in tables {
            // Sound: where the memory as saved has a page, the clone's has one.
            guard let ours = unsafe UnsafeRawPointer(bitPattern: memory.hostBase + UInt(table)),
                let saved = unsafe source.pristine.page(table)
            else { continue }
            if unsafe cclone_tables_differ(ours, saved) != 0 { return true }
        }
        return false
    }

    /// Makes memory what the snapshot has, keeping at most `limit` pages of the clone's own.
    mutating func clean(_ memory: borrowing GuestMemory, keeping limit: Int) throws(SnapshotError) {
        count = 0
        var used = 0
        for part in memory.savedParts {
            var next = UInt64(memory.hostBase) + part.lowerBound
            let end = UInt64(memory.hostBase) + part.upperBound
            while next < end, used < Self.mostRuns {
                let found = try scan(&next, end, at: used)
                for run in runs[used..<used + found] { count += Int((run.end - run.start) / Format.page) }
                used += found
            }
            if next < end { count = max(count, limit + 1) }
        }
        if count > limit { return try drop(memory) }
        for run in runs[..<used] { restore(run, UInt64(memory.hostBase)) }
    }

    /// Everything at once, mappings too: for a guest that gave memory back, which is other memory since.
    func remap(_ memory: borrowing GuestMemory) throws(SnapshotError) {
        try source.snapshot.map(into: memory)
        try drop(memory)
        memory.useSmallPages()
    }

    private mutating func scan(_ next: inout UInt64, _ end: UInt64, at used: Int) throws(SnapshotError) -> Int {
        let (fd, start) = (source.pageMap.fd, next)
        var found = scans ? findOwnPages(fd, &next, end, &runs, at: used, scans: true) : -Int(ENOTTY)
        if found == -Int(ENOTTY) {  // before Linux 6.7
            scans = false
            next = start
            found = findOwnPages(fd, &next, end, &runs, at: used, scans: false)
        }
        if found < 0 { throw .host(HostError("read", "/proc/self/pagemap", errno: Int32(-found))) }
        return found
    }

    private func restore(_ run: cclone_run, _ base: UInt64) {
        for page in stride(from: run.start, to: run.end, by: Int(Format.page)) {
            // Sound: the scan was of guest memory, whose pages these are.
            guard let ours = unsafe UnsafeMutableRawPointer(bitPattern: UInt(page)),
                let saved = unsafe source.pristine.page(page - base)
            else { continue }
            // A page of zeros may be the kernel's, of which it has one: the page map before Linux 6.7 does not tell.
            if unsafe memcmp(ours, saved, Int(Format.page)) != 0 { unsafe memcpy(ours, saved, Int(Format.page)) }
        }
    }

    private func drop(_ memory: borrowing GuestMemory) throws(SnapshotError) {
        for part in memory.savedParts {
            // Sound: guest memory, all of it private: the file's pages or zeros come back.
            let start = unsafe UnsafeMutableRawPointer(bitPattern: memory.hostBase + UInt(part.lowerBound))
            if unsafe madvise(start, part.count, MADV_DONTNEED) != 0 {
                throw .host(HostError("madvise", "", errno: errno))
            }
        }
    }
}
