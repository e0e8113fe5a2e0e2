// `swiftlet snapshot PID`: has a running `swiftlet run --snapshot FILE` write its guest there, and waits until it has. And
// `swiftlet snapshot --merge FILE`: a chain of increments becomes one file.
//
// The wish is a signal (SIGUSR2); that it was granted is seen by the file, which is replaced as a whole, and why it was not
// by the process's note (Snapshot/FailureNote.swift). What the process was started with is read from /proc, so that a swiftlet
// without --snapshot, which the signal would stop, gets none. Read next: RunningSwiftlet.swift, docs/snapshots.md.

import ArgumentParser
import Host
import Snapshot
import Subcommand

@main
struct SnapshotCommand: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "snapshot",
        abstract: "Save the guest of a running swiftlet, or make one file of its increments.",
        usage: "[--timeout SECONDS] PID | --merge FILE --output NEW",
        discussion: """
            The process must be a 'swiftlet run' or 'swiftlet restore' that was started with --snapshot FILE: there the \
            guest is written to, and 'swiftlet restore FILE' goes on with it. The guest itself goes on too, unless its \
            swiftlet was given --snapshot-exit.

            With --merge no process is asked: FILE, of --snapshot-incremental, and those that it was written on top of become \
            the one file NEW, which may be FILE itself, but none of the others. All of their content is checked.

            Prints the file's path when it is complete.

            Exit status: 0 the snapshot is written; 125 it is not, and the last line says why.
            """)

    @Option(help: ArgumentHelp("How long to wait for it.", valueName: "seconds"))
    var timeout: Double = 60

    @Option(
        help: ArgumentHelp("Make one file of a snapshot and of all that it was written on top of.", valueName: "file"),
        completion: .file())
    var merge: String?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Where --merge writes.", valueName: "file"), completion: .file())
    var output: String?

    @Argument(help: ArgumentHelp("The process.", valueName: "pid"))
    var pid: Int32?

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        switch (merge, output, pid) {
        case (let merge?, let output?, nil): return try fold(merge, into: output)
        case (nil, nil, let pid?): return try save(pid)
        default: throw SubcommandError("snapshot: PID, or --merge FILE --output NEW: try 'swiftlet snapshot --help'")
        }
    }

    private func fold(_ merge: String, into output: String) throws(SubcommandError) -> Int32 {
        do throws(SnapshotError) {
            let snapshot = try Snapshot(merge)
            try snapshot.guardAgainstTruncation()
            _ = try snapshot.merge(into: output)
        } catch { throw SubcommandError(error.message) }
        try printResult(output + "\n")
        return 0
    }

    private func save(_ pid: Int32) throws(SubcommandError) -> Int32 {
        guard timeout > 0, timeout <= 86400 else {
            throw SubcommandError("snapshot: --timeout: seconds above 0 and up to a day")
        }
        let running = try RunningSwiftlet(pid)
        let before = running.stamp
        let failuresBefore = running.failure?.number ?? 0
        try running.askForSnapshot()
        let deadline = Clock.monotonic() + UInt64(timeout * 1e9)
        while running.stamp == before {
            if !running.isAlive, running.stamp == before {
                throw SubcommandError("snapshot: process \(pid) ended without writing \(running.file)")
            }
            if let failure = running.failure, failure.number > failuresBefore {
                throw SubcommandError("snapshot: process \(pid) could not write it: \(failure.reason)")
            }
            if Clock.monotonic() > deadline {
                throw SubcommandError(
                    "snapshot: \(running.file) was not written within \(timeout) s: the process says why")
            }
            _ = wait(for: WaitFor(-1), nanoseconds: 2_000_000)
        }
        try printResult(running.file + "\n")
        return 0
    }
}
