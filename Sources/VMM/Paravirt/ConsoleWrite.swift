// The console write call: bytes from guest memory to standard output. docs/ABI.md, "console write".
//
// One write(2) straight from guest memory in the common case. What ends it early: a stop, or a reader that is gone.
// Read next: ConsoleRead.swift.

import CABI
import GuestMemory
import Host

extension VCPUContext {
    mutating func consoleWrite() -> Action {
        let call = arguments(swiftlet_console_write.self)
        let address = GuestAddress(call.buffer)
        if call.length == 0 { return .resume }  // no buffer at all
        guard platform.memory.contains(address, call.length) else {
            return misuse("console write: \(call.length) bytes at \(address.description) are not in guest memory")
        }
        let result = writeAll(call.length, to: platform.console) { done in
            platform.memory.withSpan(address + done, call.length - done) { platform.console.write($0) } ?? .gone
        }
        switch result {
        case .done: return .resume
        case .stopped(let stop, let done):
            self.stop = stop
            answer(swiftlet_console_write(buffer: call.buffer + done, length: call.length - done))
            return interruptedCall()
        case .gone: return end(.consoleGone)
        case .failed(let errno): return end(.hostFailed("the console", errno: errno))
        }
    }

    /// How a write that may take several turns ended.
    enum WriteEnd {
        case done
        case stopped(Stop, done: UInt64)
        case gone
        case failed(errno: Int32)
    }

    /// Calls `write` with the bytes already written until all are, somebody asks for a stop, or it fails.
    func writeAll(_ count: UInt64, to console: Console, _ write: (UInt64) -> ConsoleResult) -> WriteEnd {
        var done: UInt64 = 0
        while done < count {
            switch write(done) {
            case .done(let written): done += UInt64(written)
            case .interrupted: break
            case .notReady:
                let room = WaitFor(console.output, write: true)
                _ = wait(for: room, WaitFor(platform.control.event.fd), nanoseconds: nil)
            case .gone: return .gone
            case .failed(let errno): return .failed(errno: errno)
            }
            // A kick may have cut a write short: with a slow reader that would go on for long.
            if done < count, let stop = platform.control.requested { return .stopped(stop, done: done) }
        }
        return .done
    }
}
