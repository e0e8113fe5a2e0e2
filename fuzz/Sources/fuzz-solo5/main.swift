// Fuzzes the images of Solo5's unikernels: `make fuzz`, or by hand `fuzz-solo5 FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: { imageSeeds(.solo5) }) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size), as: .solo5)
    return 0
}
