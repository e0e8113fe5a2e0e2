// Which file a running swiftlet writes its snapshots to, as its command line says.
//
// Read next: Tests/GuestTests/SnapshotTests.swift, where one is asked for.

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
}
