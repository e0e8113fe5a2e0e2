// The calls of guests with devices or several vCPUs: the call table's last entry leads here.
//
// Read next: Block.swift.

import CABI
import Rings

extension VCPUContext {
    /// Out of line: what other guests execute is as if this were not there.
    @inline(never)
    mutating func deviceCall(_ number: Int32) -> Action {
        switch number {
        case SWIFTLET_CALL_BLOCK: return block()
        case SWIFTLET_CALL_NET: return net()
        case SWIFTLET_CALL_RING: return platform.inTurn { ring() }
        case SWIFTLET_CALL_START_VCPU: return startVCPU()
        default:
            return misuse(
                "unknown call \(number): version \(SWIFTLET_ABI_VERSION) has \(SWIFTLET_CALL_EXIT) to "
                    + "\(SWIFTLET_CALL_START_VCPU) and \(SWIFTLET_CALL_SNAPSHOT)")
        }
    }

    func device(_ number: UInt32) -> RingDevice { platform.devices?[number] ?? .none }

    /// After a signal: whether somebody asks for a stop, with the call to be made again behind a pause.
    mutating func isStopped() -> Bool {
        guard let stop = platform.control.requested else { return false }
        self.stop = stop
        isCallRepeated = true
        return true
    }
}
