// Fuzzes the services of vendors' hypervisors: `make fuzz`, or by hand `fuzz-identities FOLDER` with libFuzzer's options.
//
// Read next: ../Harness/IdentityRun.swift.

import Harness

runFuzzer(seeds: identitySeeds) { data, size in
    useVendors(UnsafeBufferPointer(start: data, count: size))
    return 0
}
