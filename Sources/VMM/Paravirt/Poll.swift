// The poll call, and the one place where a vCPU sleeps. docs/ABI.md, "poll".
//
// A sleep ends by an event, by its deadline, by the guest's timer interrupt, or by a stop. The timer's deadline bounds
// the wait itself, so a kick that comes just before the wait begins is not missed.

import CABI
import GuestMemory
import Host

/// How a sleep ended.
enum SleepEnd {
    case ready
    case passed
    /// The guest's timer is due: the interrupt is delivered when the call returns.
    case interrupted
    case stopped(Stop)
}

extension VCPUContext {
    mutating func poll() -> Action {
        guard var call = arguments(swiftlet_poll.self) else { return misuse("no call page") }
        guard call.events & ~UInt32(SWIFTLET_POLL_CONSOLE) == 0 else {
            return misuse("poll: unknown events 0x\(String(call.events, radix: 16))")
        }
        call.ready = 0
        switch waitForEvents(Int32(call.events), until: call.deadline) {
        case .stopped(let stop): return end(stop)
        case .passed, .interrupted: break
        case .ready: call.ready = UInt32(SWIFTLET_POLL_CONSOLE)
        }
        answer(call)
        return .resume
    }

    func waitForEvents(_ events: Int32, until deadline: UInt64) -> SleepEnd {
        let input = WaitFor(events & SWIFTLET_POLL_CONSOLE != 0 ? platform.console.input : -1)
        let timer = timer.isMasked(platform.memory, callPage) ? UInt64(SWIFTLET_NO_DEADLINE) : timer.deadline
        // A look, no sleep: the clock page told the guest that the deadline has passed, one poll(2) tells the rest.
        while true {
            let left = platform.clock.remaining(until: min(deadline, timer))
            if events == 0, left == 0 { return timer < deadline ? .interrupted : .passed }
            let (ready, stopped, _) = wait(for: input, WaitFor(platform.control.event.fd), nanoseconds: left)
            if stopped, let stop = platform.control.requested { return .stopped(stop) }
            if ready { return .ready }
            if left == 0 { return timer < deadline ? .interrupted : .passed }
        }
    }
}
