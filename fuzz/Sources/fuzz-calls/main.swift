// Fuzzes the arguments of calls: `make fuzz`, or by hand `fuzz-calls -close_fd_mask=2 FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/CallRun.swift.

import Harness

runFuzzer(seeds: callSeeds) { data, size in
    makeCalls(UnsafeBufferPointer(start: data, count: size))
    return 0
}
