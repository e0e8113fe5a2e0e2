// Fuzzes Multiboot kernels: `make fuzz`, or by hand `fuzz-multiboot FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/ImageRun.swift.

import Harness

runFuzzer(seeds: { imageSeeds(.multiboot) }) { data, size in
    loadImage(UnsafeBufferPointer(start: data, count: size), as: .multiboot)
    return 0
}
