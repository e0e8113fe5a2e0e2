// The ring call: memory of the guest becomes a ring, with a thread of the VMM's that serves it. docs/ABI.md, "ring".
//
// Read next: RingInterrupts.swift.

import CABI
import Glibc
import GuestMemory
import Rings

extension VCPUContext {
    mutating func ring() -> Action {
        var call = arguments(swiftlet_ring_setup.self)
        guard let devices = platform.devices else { return misuse("ring: the image declares no device") }
        guard devices.rings.count < Int(SWIFTLET_RINGS_MAX) else {
            return misuse("ring: the machine has \(SWIFTLET_RINGS_MAX) already")
        }
        let address = GuestAddress(call.address)
        guard let queue = RingQueue(platform.memory, at: address, entries: call.entries) else {
            return misuse(
                "ring: \(call.entries) entries at \(address.description): a power of two from 2 to "
                    + "\(SWIFTLET_RING_ENTRIES_MAX), in guest memory, at a multiple of 64")
        }
        guard call.vector == 0 || (32...255).contains(call.vector) && handled[Int(call.vector)] else {
            return misuse("ring: vector \(call.vector) is not in 32...255, or has no handler")
        }
        do throws(MachineError) {
            call.ring = try devices.serve(queue, vector: UInt8(call.vector), for: platform, vcpu: index)
        } catch {
            return end(.hostFailed("making a ring", errno: error.errno))
        }
        answer(call)
        return .resume
    }
}

extension MachineError {
    var errno: Int32 {
        switch self {
        case .kvm(let error): error.errno
        case .host(let error): error.errno
        default: EIO
        }
    }
}
