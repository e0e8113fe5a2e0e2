// hvt's calls on disks: whole transfers between the disk and guest memory, at any byte offset.
//
// The unikernel's bindings see to block sizes; here counts what lies inside the disk. A disk that fails ends the machine:
// the interface has no other word for it. Read next: HvtNet.swift, Devices/BlockDevice+Transfer.swift.

import CABI
import Devices
import GuestMemory
import Rings

/// struct hvt_hc_block_write and hvt_hc_block_read
struct HvtBlockCall: BitwiseCopyable {
    var handle: UInt64
    var offset: UInt64
    var data: UInt64
    var length: UInt64
    var result: Int32
    var padding: Int32
}

extension VCPUContext {
    mutating func hvtBlock(_ address: UInt64, _ hvt: Hvt, writes: Bool) -> Action {
        guard var call = hvtArguments(address, hvt, HvtBlockCall.self) else { return invalidAccess(address, 40) }
        call.result = HvtResult.invalid
        if let disk = hvt.device(call.handle)?.block, call.offset < disk.capacity,
            disk.contains(call.offset, call.length)
        {
            // Reading a disk writes to memory.
            guard writes ? hvt.allows(call.data, call.length) : hvt.allowsWriting(call.data, call.length) else {
                return invalidAccess(call.data, call.length)
            }
            switch transfer(call, disk, writes: writes) {
            case .done?: call.result = HvtResult.ok
            case .readOnly?: call.result = HvtResult.unspecified
            case .outOfRange?: break
            case .failed(let errno)?:
                return end(.hostFailed("\(writes ? "writing to" : "reading from") \(disk.words)", errno: errno))
            case .interrupted?, nil: return .stop
            }
        }
        hvtAnswer(call, address)
        return .resume
    }

    /// Piece by piece; nil after a stop.
    private mutating func transfer(_ call: HvtBlockCall, _ disk: BlockDevice, writes: Bool) -> BlockResult? {
        let (operation, start) = (writes ? SWIFTLET_BLOCK_WRITE : SWIFTLET_BLOCK_READ, GuestAddress(call.data))
        var done: UInt64 = 0
        while true {
            let result = disk.perform(operation, platform.memory, start, call.length, at: call.offset, done: &done)
            if result != .interrupted { return result ?? .outOfRange }
            if isStopped() { return nil }
        }
    }
}
