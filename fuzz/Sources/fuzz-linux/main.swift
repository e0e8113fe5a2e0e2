// Fuzzes Linux: bzImage and vmlinux: `make fuzz`, or by hand `fuzz-linux FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: { imageSeeds(.linux) }) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size), as: .linux)
    return 0
}
