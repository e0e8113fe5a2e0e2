// Fuzzes requests to a server: `make fuzz`, or by hand `fuzz-requests FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/RequestRun.swift.

import Harness

runFuzzer(seeds: requestSeeds) { data, size in
    readRequests(UnsafeBufferPointer(start: data, count: size))
    return 0
}
