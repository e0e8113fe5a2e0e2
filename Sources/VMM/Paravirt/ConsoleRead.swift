// The console read call: bytes from standard input to guest memory. docs/ABI.md, "console read".
//
// Read next: WallTime.swift.

import CABI
import GuestMemory
import Host

extension VCPUContext {
    mutating func consoleRead() -> Action {
        var call = arguments(swiftlet_console_read.self)
        let address = GuestAddress(call.buffer)
        guard call.length > 0 else { return misuse("console read: length 0") }
        guard platform.memory.contains(address, call.length) else {
            return misuse("console read: \(call.length) bytes at \(address.description) are not in guest memory")
        }
        while true {
            switch waitForEvents(SWIFTLET_POLL_CONSOLE, until: call.deadline) {
            case .stopped: return interruptedCall()
            case .passed: call.result = Int64(SWIFTLET_TIMED_OUT)
            case .interrupted: call.result = Int64(SWIFTLET_TIMED_OUT)
            case .ready:
                switch platform.processors == nil ? readOnce(address, call.length) : readInTurn(address, call.length) {
                case .done(let read): call.result = Int64(read)
                case .interrupted, .notReady: continue
                case .gone: call.result = 0
                case .failed(let errno): return end(.hostFailed("the console", errno: errno))
                }
            }
            answer(call)
            return .resume
        }
    }

    func readOnce(_ address: GuestAddress, _ length: UInt64) -> ConsoleResult {
        platform.memory.withMutableSpan(address, length) { platform.console.read(&$0) } ?? .gone
    }
}
