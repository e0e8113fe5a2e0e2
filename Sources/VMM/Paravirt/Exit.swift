// The exit call: the guest is done, with a status. docs/ABI.md, "exit".
//
// Read next: ConsoleWrite.swift.

import CABI

extension VCPUContext {
    mutating func exit() -> Action {
        let call = arguments(swiftlet_exit.self)
        guard let status = UInt8(exactly: call.status) else {
            return misuse("exit: status \(call.status) is not in 0...255")
        }
        return end(.exited(status: status))
    }
}
