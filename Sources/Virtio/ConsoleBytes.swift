// virtio-console: bytes, one queue for each way (virtio 1.2, section 5.3); and virtio-rng: entropy (section 5.4).
//
// Read next: ../VMM/Devices/Kernel.swift.

import GuestMemory
import Host

extension Console {
    func write(_ given: Chain, _ memory: borrowing GuestMemory) -> VirtioBackend.Outcome {
        var chain = given
        while let buffer = chain.readable.first {
            switch memory.withSpan(buffer.address, buffer.count, { write($0) }) {
            case .done(let bytes)?: chain.drop(UInt64(bytes))
            case .gone?: return .ends(.consoleGone)
            // What was written of it is not written again.
            case .notReady?: return .cut(chain, WaitFor(output, write: true))
            case .interrupted?: return .cut(chain, nil)
            case .failed?, nil: return .done(written: 0)
            }
        }
        return .done(written: 0)
    }

    func read(_ chain: Chain, _ memory: borrowing GuestMemory) -> VirtioBackend.Outcome {
        guard let buffer = chain.writable.first else { return .broken }
        guard input >= 0, wait(for: WaitFor(input), nanoseconds: 0).0 else { return .waits(WaitFor(input)) }
        switch memory.withMutableSpan(buffer.address, buffer.count, { read(&$0) }) {
        case .done(let bytes)? where bytes > 0: return .done(written: UInt32(clamping: bytes))
        case .interrupted?: return .interrupted
        case .notReady?: return .waits(WaitFor(input))
        // The end of input: a console has no word for it.
        default: return .waits(WaitFor(-1))
        }
    }
}

/// Up to 256 bytes for each request: so much is never interrupted.
func fillWithEntropy(_ chain: Chain, _ memory: borrowing GuestMemory) -> VirtioBackend.Outcome {
    guard let buffer = chain.writable.first else { return .broken }
    let count = min(buffer.count, 256)
    let failure = memory.withMutableSpan(buffer.address, count) { fillRandom(&$0) }
    return failure == .some(nil) ? .done(written: UInt32(count)) : .done(written: 0)
}
