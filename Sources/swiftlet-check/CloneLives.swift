// The lives of a clone, for `swiftlet check`: one machine that is reset again and again, here and in the labs.
//
// What a host's KVM knows of page tables is its own affair: whether a reset is seen by it shows only in running one.
// Read next: Tests/GuestCases/Lives.swift, guests/remap.

import Glibc
import GuestCases
import Host
import Snapshot
import VMM

enum CloneLives {
    static let guest = "remap"

    /// What went wrong; nothing: all is well.
    static func failures(_ bench: Bench) -> [String] {
        let path = "/tmp/swiftlet-check.\(getpid()).snapshot"
        defer { unsafe unlink(path) }
        do throws(HostError) {
            let image = "\(bench.images)/\(guest).elf"
            var child = try Child(bench.swiftlet, ["run", "--snapshot", path, "--snapshot-exit", image])
            let ending = child.finish(seconds: Double(bench.limit))
            if ending.how != .exited(0) { return ["no snapshot: \(String(decoding: ending.error, as: UTF8.self))"] }
        } catch { return [error.message] }
        do throws(SnapshotError) { return try live(path, bench) } catch { return [error.message] }
    }

    private static func live(_ path: String, _ bench: Bench) throws(SnapshotError) -> [String] {
        var options = PoolOptions()
        options.timeout = UInt64(bench.limit) * 1_000_000_000
        let pool = try Pool(try Snapshot(path), options)
        var failures: [String] = []
        for life in Life.all {
            let answer = try pool.call(Array(life.spoils.utf8))
            if answer.status == life.status { continue }
            let said = String(decoding: answer.output, as: UTF8.self)
            failures.append("'\(life.spoils)' ended with \(answer.status): \(said)\(answer.message ?? "")")
        }
        return failures
    }
}
