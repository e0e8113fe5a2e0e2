// Which file a running swiftlet writes its snapshots to, as its command line says.
//
// Read next: Tests/GuestTests/SnapshotTests.swift, where one is asked for.

import Glibc
import Testing

@testable import swiftlet_snapshot

@Suite struct RunningSwiftletTests {
    @Test(arguments: [
        (["--snapshot", "a", "image"], "a"), (["--mem", "16", "--snapshot=b=c", "image"], "b=c"), (["image"], nil),
        (["--snapshot"], nil), (["--snapshot-exit", "image"], nil),
    ])
    func fileIsTheOptionsValue(words: [String], file: String?) {
        #expect(RunningSwiftlet.snapshotFile(words) == file)
    }

    @Test(arguments: [0, -1, 1])
    func otherProcessesAreLeftAlone(pid: Int32) {
        #expect(throws: (any Error).self) { try RunningSwiftlet(pid) }
    }

    /// Whose parent has not asked for its status yet, which may be long.
    @Test func whoHasEndedIsNotAlive() throws {
        #expect(RunningSwiftlet.isAlive(getpid()))
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("true"), nil]
        #expect(posix_spawn(&pid, "/bin/true", nil, nil, &arguments, nil) == 0)
        free(arguments[0])
        for _ in 0..<3000 where RunningSwiftlet.isAlive(pid) { usleep(10_000) }
        #expect(!RunningSwiftlet.isAlive(pid) && kill(pid, 0) == 0)
        waitpid(pid, nil, 0)
        #expect(!RunningSwiftlet.isAlive(pid))
    }
}
