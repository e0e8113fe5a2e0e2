// The fuzzers' proof: a bug that is there on purpose. `make fuzz` fails if it is not found within seconds.
//
// It is met by a file that begins as an ELF does, and the fuzzer starts from one that does not: chance alone would take
// billions of inputs. PLANTED=trap is an index out of range, which Swift traps; PLANTED=heap is a read behind a buffer,
// which only the address sanitizer sees. Read next: ../../run.sh.

import Boot
import Glibc
import Harness

private func stumble(over count: Int) {
    if getenv("PLANTED").map({ String(cString: $0) }) == "heap" {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
        buffer.initialize(repeating: 1, count: count)
        print(buffer[count])
        buffer.deallocate()
    } else {
        print([UInt8](repeating: 1, count: count)[count])
    }
}

runFuzzer(seeds: { [("nothing", [0])] }) { data, size in
    switch loadImage(UnsafeBufferPointer(start: data, count: size), as: .swiftlet) {
    case .empty, .notELF: break
    default: stumble(over: size)
    }
    return 0
}
