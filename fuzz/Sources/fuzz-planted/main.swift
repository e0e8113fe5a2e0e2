// The fuzzers' proof: bugs that are there on purpose, behind images that load. `make fuzz` fails if one is not found.
//
// PLANTED=trap is an index out of range, which Swift traps; PLANTED=heap is a read behind a buffer, which only the
// address sanitizer sees. Read next: ../../run.sh.

import Boot
import Glibc
import Harness
import ImageBuilder

/// Reached only by an image that passes every check and is entered at one of four bytes of its 64; the seed is not.
private func stumble(_ guest: RingThree) {
    let distance = Int(guest.entry - guest.segments[0].address)
    if distance <= 0x20 { return }
    if distance & 7 != 5 { return }
    if getenv("PLANTED").map({ String(cString: $0) }) == "heap" {
        let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: 32)
        buffer.initialize(repeating: 1, count: 32)
        print(buffer[distance])
        buffer.deallocate()
    } else {
        print([1, 2, 3][distance])
    }
}

runFuzzer(seeds: { [("guest", ELFBuilder.guest(code: [UInt8](repeating: 0x90, count: 64)).build())] }) { data, size in
    if let guest = loadImage(UnsafeBufferPointer(start: data, count: size)) { stumble(guest) }
    return 0
}
