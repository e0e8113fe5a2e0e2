// Fuzzes image files: `make fuzz`, or by hand `fuzz-image FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: imageSeeds) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size))
    return 0
}
