// Fuzzes virtio devices: their registers and their queues' memory. `make fuzz`, or by hand `fuzz-virtio FOLDER`.
//
// Read next: ../Harness/VirtioRun.swift.

import Harness

runFuzzer(seeds: virtioSeeds) { data, size in
    driveVirtio(UnsafeBufferPointer(start: data, count: size))
    return 0
}
