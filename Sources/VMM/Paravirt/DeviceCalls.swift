// The calls of guests with devices: the call table's last entry leads here.
//
// Read next: Block.swift.

import CABI
import Host
import Rings

extension VCPUContext {
    /// Out of line: what guests without devices execute is as if this were not there.
    @inline(never)
    mutating func deviceCall(_ number: Int32) -> Action {
        switch number {
        case SWIFTLET_CALL_BLOCK: return block()
        case SWIFTLET_CALL_NET: return net()
        case SWIFTLET_CALL_RING: return ring()
        default:
            return misuse(
                "unknown call \(number): version \(SWIFTLET_ABI_VERSION) has \(SWIFTLET_CALL_EXIT) to "
                    + "\(SWIFTLET_CALL_RING) and \(SWIFTLET_CALL_SNAPSHOT)")
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

    /// As `waitForEvents`, for one descriptor.
    mutating func waitForDevice(_ wanted: WaitFor, until deadline: UInt64) -> SleepEnd {
        let timer = timer.isArmed && masked.load() == 0 ? timer.deadline : UInt64(SWIFTLET_NO_DEADLINE)
        while true {
            let left = platform.clock.remaining(until: min(deadline, timer))
            if left == 0 { return timer < deadline ? .interrupted : .passed }
            let (ready, stopped, _) = Host.wait(
                for: wanted, WaitFor(platform.control.event.fd), nanoseconds: left)
            if stopped, isStopped() { return .stopped }
            if ready { return .ready }
        }
    }
}
