// hvt's poll call: sleep until a network interface has a frame, or for a time.
//
// Like every sleep of a vCPU it also waits for a stop. Read next: HvtBlock.swift.

import Host

/// struct hvt_hc_poll
struct HvtPollCall: BitwiseCopyable {
    /// Nanoseconds from now.
    var timeout: UInt64
    /// Bit n: the device with handle n has input.
    var readySet: UInt64
    /// How many devices are ready.
    var result: Int32
    var padding: Int32
}

extension VCPUContext {
    mutating func hvtPoll(_ address: UInt64, _ hvt: Hvt) -> Action {
        guard var call = hvtArguments(address, hvt, HvtPollCall.self) else { return invalidAccess(address, 24) }
        let (deadline, overflow) = Clock.monotonic().addingReportingOverflow(call.timeout)
        var set = WaitSet()
        set.add(WaitFor(platform.control.event.fd))
        for net in hvt.nets { set.add(WaitFor(net.fd)) }
        (call.readySet, call.result) = (0, 0)
        while true {
            let left = overflow ? nil : deadline - min(deadline, Clock.monotonic())
            let isReady = set.wait(nanoseconds: left)
            if let stop = platform.control.requested {
                hvtAnswer(call, address)  // behind a pause the unikernel finds that nothing was ready
                return end(stop)
            }
            for (index, net) in hvt.nets.enumerated() where isReady && set.isReady(index + 1) {
                call.readySet |= 1 << UInt64(net.handle)
                call.result += 1
            }
            if call.result > 0 || left == 0 { break }
        }
        hvtAnswer(call, address)
        return .resume
    }
}
