// Fuzzes the traps of deprivileged guests: `make fuzz`, or by hand `fuzz-traps FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/TrapRun.swift.

import Harness

runFuzzer(seeds: trapSeeds) { data, size in
    trap(UnsafeBufferPointer(start: data, count: size))
    return 0
}
