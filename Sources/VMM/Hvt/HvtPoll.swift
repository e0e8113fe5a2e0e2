// hvt's poll call: sleep until a network device has a frame, or for a time.
//
// Like every sleep of a vCPU it also waits for a stop. Read next: HvtNet.swift.

import Host

extension VCPUContext {
    mutating func hvtPoll(_ address: UInt64, _ hvt: Hvt) -> Action {
        guard var call = hvtArguments(address, hvt, HvtPoll.self) else { return invalidAccess(address, 24) }
        let (deadline, overflow) = Clock.monotonic().addingReportingOverflow(call.timeout)
        call.readySet = 0
        call.result = 0
        while true {
            let left = overflow ? nil : deadline - min(deadline, Clock.monotonic())
            let (_, stopped, _) = wait(for: WaitFor(-1), WaitFor(platform.control.event.fd), nanoseconds: left)
            if stopped, let stop = platform.control.requested { return end(stop) }
            if left == 0 { break }
        }
        hvtAnswer(call, address)
        return .resume
    }
}
