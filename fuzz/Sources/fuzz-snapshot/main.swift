// Fuzzes snapshot files: `make fuzz`, or by hand `fuzz-snapshot FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/SnapshotRun.swift.

import Harness

runFuzzer(seeds: snapshotSeeds) { data, size in
    openSnapshot(UnsafeBufferPointer(start: data, count: size))
    return 0
}
