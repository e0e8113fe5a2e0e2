// The poll call, and the one place where a vCPU sleeps. docs/ABI.md, "poll".
//
// A sleep ends by an event, by its deadline, by the guest's timer interrupt, or a ring's, or by a stop. The timer's deadline bounds
// the wait itself, so a kick that comes just before the wait begins is not missed. Read next: Commit.swift.

import CABI
import GuestMemory
import Host

/// How a sleep ended.
enum SleepEnd {
    case ready
    case passed
    /// The guest's timer is due: the interrupt is delivered when the call returns.
    case interrupted
    /// The stop is in `stop`.
    case stopped
}

extension VCPUContext {
    /// A look at the clock only, which a guest makes to have an interrupt delivered, needs no more than this.
    @inline(__always)
    mutating func poll() -> Action {
        var call = arguments(swiftlet_poll.self)
        guard call.events == 0, call.deadline <= platform.clock.now() else { return sleep(call) }
        call.ready = 0
        answer(call)
        return .resume
    }

    @inline(never)
    private mutating func sleep(_ call: swiftlet_poll) -> Action {
        guard call.events & ~UInt32(SWIFTLET_POLL_CONSOLE) == 0 else { return pollDevices(call) }
        var call = call
        call.ready = 0
        switch waitForEvents(Int32(call.events), until: call.deadline) {
        case .stopped: return interruptedCall()
        case .passed, .interrupted: break
        case .ready: call.ready = UInt32(SWIFTLET_POLL_CONSOLE)
        }
        answer(call)
        return .resume
    }

    /// A stop came first. After a pause the guest makes the call again, with what its struct says then.
    mutating func interruptedCall() -> Action {
        isCallRepeated = true
        return .stop
    }

    /// Mutating so that it works on the context in place: a borrowed context would be passed as a copy.
    mutating func waitForEvents(_ events: Int32, until deadline: UInt64) -> SleepEnd {
        let timer = interruptDeadline
        while true {
            let left = platform.clock.remaining(until: min(deadline, timer))
            if events == 0, left == 0 { return timer < deadline ? .interrupted : .passed }
            let input = WaitFor(events & SWIFTLET_POLL_CONSOLE != 0 ? platform.console.input : -1)
            let (ready, stopped, isDue) = wait(
                for: input, WaitFor(platform.control.event.fd), ringInterrupt, nanoseconds: left)
            if stopped, let stop = platform.control.requested {
                self.stop = stop
                return .stopped
            }
            if ready { return .ready }
            if isDue { return .interrupted }
            if left == 0 { return timer < deadline ? .interrupted : .passed }
        }
    }
}
