// The block call: one operation on a disk, straight from or to guest memory. docs/ABI.md, "block".
//
// What the host's disk reports is a result; the guest decides what that means to it. Read next: Net.swift.

import CABI
import Devices
import GuestMemory
import Rings

extension VCPUContext {
    mutating func block() -> Action {
        var call = arguments(swiftlet_block.self)
        guard case .block(let disk) = device(call.device) else {
            return misuse("block: device \(call.device) is no disk of this machine's")
        }
        let operation = Int32(bitPattern: call.operation)
        guard (SWIFTLET_BLOCK_READ...SWIFTLET_BLOCK_DISCARD).contains(operation) else {
            return misuse("block: unknown operation \(operation)")
        }
        let address = GuestAddress(call.buffer)
        var done: UInt64 = 0
        while true {
            let result = disk.perform(
                operation, platform.memory, address, call.length, at: call.offset, done: &done)
            guard let result else {
                return misuse("block: \(call.length) bytes at \(address.description) are not in guest memory")
            }
            if result == .interrupted {
                if isStopped() { return .stop }
                continue
            }
            call.result = Int64(result.code)
            answer(call)
            return .resume
        }
    }
}
