// Fuzzes kernels with Xen's PVH note: `make fuzz`, or by hand `fuzz-pvh FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: { imageSeeds(.pvh) }) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size), as: .pvh)
    return 0
}
