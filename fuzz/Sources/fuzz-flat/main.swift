// Fuzzes flat images and boot sectors: `make fuzz`, or by hand `fuzz-flat FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: { imageSeeds(.flat) }) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size), as: .flat)
    return 0
}
