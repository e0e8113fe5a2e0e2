// The entropy call: bytes from the host's generator. docs/ABI.md, "entropy".
//
// Read next: Log.swift.

import CABI
import GuestMemory
import Host

extension VCPUContext {
    mutating func entropy() -> Action {
        let call = arguments(swiftlet_entropy.self)
        guard call.length <= UInt64(SWIFTLET_ENTROPY_MAX) else {
            return misuse("entropy: \(call.length) bytes, at most \(SWIFTLET_ENTROPY_MAX)")
        }
        let address = GuestAddress(call.buffer)
        guard let result = platform.memory.withMutableSpan(address, call.length, { fillRandom(&$0) }) else {
            return misuse("entropy: \(call.length) bytes at \(address.description) are not in guest memory")
        }
        if let failure = result { return end(.hostFailed("the host's random number generator", errno: failure.errno)) }
        return .resume
    }
}
