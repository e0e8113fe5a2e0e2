// Which pages of a private mapping are its own, as a reset asks it: for `swiftlet bench memory`, which compares the ways.
//
// Read next: ClonePages.swift, which decides by what was measured.

import CSnapshot
import Host

/// The process's page map, and the two ways to read it.
package struct OwnPages: ~Copyable {
    /// Of host addresses.
    package typealias Run = Range<UInt64>

    private let file: File

    package init() throws(SnapshotError) { file = try snapshotIO(try File("/proc/self/pagemap", .read)) }

    /// By the kernel's search (Linux 6.7: ENOTTY before), or else entry by entry.
    package func find(in range: Run, scans: Bool) throws(SnapshotError) -> [Run] {
        var runs = [cclone_run](repeating: cclone_run(), count: 512)
        var result: [Run] = []
        var next = range.lowerBound
        while next < range.upperBound {
            // Sound: the shims fill as many runs as they are told that there is room for.
            let found = unsafe runs.withUnsafeMutableBufferPointer { buffer in
                scans
                    ? unsafe cclone_scan(file.fd, &next, range.upperBound, buffer.baseAddress, 512)
                    : unsafe cclone_read(file.fd, &next, range.upperBound, buffer.baseAddress, 512)
            }
            if found < 0 { throw .host(HostError("read", "/proc/self/pagemap", errno: Int32(-found))) }
            for run in runs.prefix(found) { result.append(run.start..<run.end) }
        }
        return result
    }
}
