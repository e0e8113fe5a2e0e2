// Fuzzes the images of Swiftlet's own guests: `make fuzz`, or by hand `fuzz-elf FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: { imageSeeds(.swiftlet) }) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size), as: .swiftlet)
    return 0
}
