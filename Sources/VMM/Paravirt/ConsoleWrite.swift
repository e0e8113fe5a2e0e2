// The console write call: bytes from guest memory to standard output. docs/ABI.md, "console write".
//
// One write(2) straight from guest memory in the common case. What ends it early: a stop, or a reader that is gone.

import CABI
import GuestMemory
import Host

extension VCPUContext {
    mutating func consoleWrite() -> Action {
        let call = arguments(swiftlet_console_write.self)
        var address = GuestAddress(call.buffer)
        var left = call.length
        if left == 0 { return .resume }  // no buffer at all
        guard platform.memory.contains(address, left) else {
            return misuse("console write: \(left) bytes at \(address.description) are not in guest memory")
        }
        while left > 0 {
            let result = platform.memory.withSpan(address, left) { platform.console.write($0) } ?? .gone
            switch result {
            case .done(let written):
                address = address + UInt64(written)
                left -= UInt64(written)
                // A kick may have cut it short: with a slow reader that would go on for long.
                if left > 0, let stop = platform.control.requested { return end(stop) }
            case .interrupted, .notReady:
                if let stop = waitForConsole() { return end(stop) }
            case .gone: return end(.consoleGone)
            case .failed(let errno): return end(.hostFailed("the console", errno: errno))
            }
        }
        return .resume
    }

    /// Waits until the console takes more, or returns the stop that came first.
    private func waitForConsole() -> Stop? {
        if let stop = platform.control.requested { return stop }
        _ = wait(
            for: WaitFor(platform.console.output, write: true), WaitFor(platform.control.event.fd), nanoseconds: nil)
        return platform.control.requested
    }
}
