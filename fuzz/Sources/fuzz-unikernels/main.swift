// Fuzzes Solo5 unikernels, their manifests, calls and rings: `make fuzz`, or by hand `fuzz-unikernels FOLDER`.
//
// Read next: ../Harness/UnikernelRun.swift.

import Harness

runFuzzer(seeds: unikernelSeeds) { data, size in
    runUnikernel(UnsafeBufferPointer(start: data, count: size))
    return 0
}
