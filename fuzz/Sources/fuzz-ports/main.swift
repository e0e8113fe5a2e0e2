// Fuzzes the ports of a kernel's machine: `make fuzz`, or by hand `fuzz-ports FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/PortRun.swift.

import Harness

runFuzzer(seeds: portSeeds) { data, size in
    accessPorts(UnsafeBufferPointer(start: data, count: size))
    return 0
}
