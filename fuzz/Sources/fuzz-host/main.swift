// Fuzzes what `swiftlet host` reads: `make fuzz`, or by hand `fuzz-host FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/HostRun.swift.

import Harness

runFuzzer(seeds: hostSeeds) { data, size in
    readForHost(UnsafeBufferPointer(start: data, count: size))
    return 0
}
