// Which pages of a private mapping are its own: the question of a reset (ClonePages.swift), and the two ways to ask the kernel.
//
// `swiftlet bench memory` compares them by `OwnPages`. Read next: ClonePages.swift, which decides by what was measured.

import CSnapshot
import Host

/// Fills `runs`, from number `used` on, with own pages of host addresses; `next` is moved behind them. Runs found, or -errno.
/// `scans`: by the kernel's search (Linux 6.7: ENOTTY before), or else entry by entry.
func findOwnPages(
    _ pageMap: Int32, _ next: inout UInt64, _ end: UInt64, _ runs: inout [cclone_run], at used: Int, scans: Bool
) -> Int {
    let room = UInt64(runs.count - used)
    // Sound: the shims fill as many runs as they are told that there is room for.
    return unsafe runs.withUnsafeMutableBufferPointer { buffer in
        let free = unsafe buffer.baseAddress.map { unsafe $0 + used }
        return scans
            ? unsafe cclone_scan(pageMap, &next, end, free, room) : unsafe cclone_read(pageMap, &next, end, free, room)
    }
}

/// The process's page map, and the two ways to read it.
package struct OwnPages: ~Copyable {
    /// Of host addresses.
    package typealias Run = Range<UInt64>

    private let file: File

    package init() throws(SnapshotError) { file = try snapshotIO(try File("/proc/self/pagemap", .read)) }

    /// All of them in a range.
    package func find(in range: Run, scans: Bool) throws(SnapshotError) -> [Run] {
        var runs = [cclone_run](repeating: cclone_run(), count: 512)
        var result: [Run] = []
        var next = range.lowerBound
        while next < range.upperBound {
            let found = findOwnPages(file.fd, &next, range.upperBound, &runs, at: 0, scans: scans)
            if found < 0 { throw .host(HostError("read", "/proc/self/pagemap", errno: Int32(-found))) }
            for run in runs.prefix(found) { result.append(run.start..<run.end) }
        }
        return result
    }
}
