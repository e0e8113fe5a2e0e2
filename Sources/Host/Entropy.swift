// Random bytes from the kernel's generator (getrandom(2)).
//
// Read next: Terminal.swift.

import CHost
import Glibc

/// Fills at most 256 bytes: that much never blocks once the generator is seeded, and is never interrupted.
public func fillRandom(_ span: inout MutableRawSpan) -> HostError? {
    unsafe span.withUnsafeMutableBytes { bytes in
        let result = unsafe getrandom(bytes.baseAddress, bytes.count, 0)
        return result == bytes.count ? nil : HostError("getrandom", "", errno: result < 0 ? errno : EIO)
    }
}

/// 32 random bytes as four words.
public func randomSeed() throws(HostError) -> (UInt64, UInt64, UInt64, UInt64) {
    var seed: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &seed) { unsafe getrandom($0.baseAddress, 32, 0) }
    if result != 32 { throw HostError("getrandom", "", errno: result < 0 ? errno : EIO) }
    return seed
}
