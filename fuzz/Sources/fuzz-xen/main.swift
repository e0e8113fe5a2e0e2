// Fuzzes Xen's hypercalls: `make fuzz`, or by hand `fuzz-xen FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/XenRun.swift.

import Harness

runFuzzer(seeds: xenSeeds) { data, size in
    useXen(UnsafeBufferPointer(start: data, count: size))
    return 0
}
