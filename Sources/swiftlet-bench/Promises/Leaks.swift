// Leaks: what is left after ten thousand calls of a pool: open files, the process's own memory, the kernel's.
//
// Several rounds, because the kernel's figures are the whole host's: what leaks grows in each, what else happens does not.
// Read next: Clones.swift.

import Host
import Measure
import Snapshot
import Subcommand

extension Promises {
    /// Beside the promise about time: the same guest, the same pool.
    func leaks(_ path: String) throws(SubcommandError) -> [Finding] {
        do throws(SnapshotError) {
            let pool = try TouchingPool(path)
            // What is made once is there then, and what a clone may keep.
            _ = try pool.times(0, warmUps: 100)
            var (files, own, kernel): ([Double], [Double], [Double]) = ([], [], [])
            for _ in 0..<Self.rounds {
                let (filesBefore, before) = (Self.openFiles, MemoryUse.now)
                _ = try pool.times(0, warmUps: Self.calls)
                let (filesAfter, after) = (Self.openFiles, MemoryUse.now)
                guard let before, let after else { throw .unsupported("/proc/meminfo cannot be read") }
                files.append(Double(filesAfter - filesBefore))
                own.append(Double(after.own - before.own))
                kernel.append(Double(after.kernel - before.kernel))
            }
            return [
                Self.growth("open files", files, unit: "files", limit: 0),
                Self.growth("the process's own memory", own, unit: "KiB", limit: 64),
                Self.growth("the kernel's memory, of the whole host", kernel, unit: "KiB", limit: 512),
            ]
        } catch { throw SubcommandError("bench: reset: \(error.message)") }
    }

    private static let rounds = 9
    private static let calls = 10_000

    private static var openFiles: Int { Host.paths(matching: "/proc/self/fd/*").count }

    private static func growth(_ what: String, _ values: [Double], unit: String, limit: Double) -> Finding {
        let interval = Interval(of: values)
        let words = limit == 0 ? "no growth" : "at most \(decimal(limit, 0)) \(unit)"
        return Finding(
            "reset", "growth in \(calls) calls: \(what)", unit: unit, sides: [Finding.Side("swiftlet", values)],
            promise: Finding.Promise(
                words: words, limit: limit, measured: interval?.median, interval: interval))
    }
}
