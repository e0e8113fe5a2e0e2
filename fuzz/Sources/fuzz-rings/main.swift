// Fuzzes a ring's memory: `make fuzz`, or by hand `fuzz-rings FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/RingRun.swift.

import Harness

runFuzzer(seeds: ringSeeds) { data, size in
    turnRing(UnsafeBufferPointer(start: data, count: size))
    return 0
}
