// The entropy call: bytes from the host's generator. docs/ABI.md, "entropy".

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
        guard let failure = platform.memory.withMutableSpan(address, call.length, { fillRandom(&$0) }) else {
            return misuse("entropy: \(call.length) bytes at \(address.description) are not in guest memory")
        }
        return failure == nil ? .resume : misuse("entropy: the host has none")
    }
}
