// Fuzzes gdb's remote protocol: what a stranger at the socket of `--gdb` may send. `make fuzz`, or by hand `fuzz-gdb FOLDER`.
//
// Read next: ../Harness/DebuggerRun.swift.

import Harness

runFuzzer(seeds: debuggerSeeds) { data, size in
    talkAsDebugger(UnsafeBufferPointer(start: data, count: size))
    return 0
}
