// The log call: a line for the operator on standard error. docs/ABI.md, "log".
//
// The text is the guest's and hostile: control characters, which could drive a terminal, become dots.
// Read next: Handler.swift.

import CABI
import GuestMemory
import Host

extension VCPUContext {
    mutating func log() -> Action {
        let call = arguments(swiftlet_log.self)
        guard call.length <= UInt32(SWIFTLET_LOG_MAX) else {
            return misuse("log: \(call.length) bytes, at most \(SWIFTLET_LOG_MAX)")
        }
        let address = GuestAddress(call.buffer)
        guard let bytes = platform.memory.bytes(address, Int(call.length)) else {
            return misuse("log: \(call.length) bytes at \(address.description) are not in guest memory")
        }
        guard let level = levelName(call.level) else { return misuse("log: level \(call.level) is not in 1...4") }
        if platform.quiet { return .resume }
        return writeLine("guest \(level): \(guestText(bytes))\n")
    }

    /// A line that standard error does not take is lost; a stop gets through while it makes us wait.
    private mutating func writeLine(_ line: String) -> Action {
        let bytes = Array(line.utf8)
        let result = writeAll(UInt64(bytes.count), to: platform.errors) { platform.errors.write(bytes, from: Int($0)) }
        if case .stopped(let stop, _) = result { return end(stop) }
        return .resume
    }

    private func levelName(_ level: UInt32) -> String? {
        switch Int32(bitPattern: level) {
        case SWIFTLET_LOG_ERROR: "error"
        case SWIFTLET_LOG_WARNING: "warning"
        case SWIFTLET_LOG_INFO: "info"
        case SWIFTLET_LOG_DEBUG: "debug"
        default: nil
        }
    }
}
