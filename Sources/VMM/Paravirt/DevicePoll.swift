// The poll call of a guest with devices: it also waits for frames and for rings' answers. docs/ABI.md, "poll".
//
// Read next: RingSetup.swift.

import CABI
import Host
import Rings

/// The events of a poll, and what to wait on for each.
private struct Events {
    let hasConsole: Bool
    /// Bit and descriptor.
    var nets: [(UInt32, Int32)] = []
    var rings: [(UInt32, Ring)] = []

    /// Nil when it names something that is not there.
    init?(_ events: UInt32, _ devices: GuestDevices?) {
        hasConsole = events & UInt32(SWIFTLET_POLL_CONSOLE) != 0
        let rings = devices?.rings ?? []
        for bit in 1..<32 where events >> UInt32(bit) & 1 != 0 {
            let event: UInt32 = 1 << UInt32(bit)
            switch bit {
            case 8..<16:
                guard bit - 8 < rings.count else { return nil }
                self.rings.append((event, rings[bit - 8]))
            case 16...:
                guard case .net(let net)? = devices?[UInt32(bit - 16)] else { return nil }
                nets.append((event, net.fd))
            default: return nil
            }
        }
    }
}

extension VCPUContext {
    @inline(never)
    mutating func pollDevices(_ call: swiftlet_poll) -> Action {
        guard let events = Events(call.events, platform.devices) else {
            return misuse("poll: events 0x\(String(call.events, radix: 16)) name what this machine has not")
        }
        var call = call
        let timer = interruptDeadline
        while true {
            let left = platform.clock.remaining(until: min(call.deadline, timer))
            // Of two vCPUs that await a ring, one may take the other's sign.
            let patience = platform.processors == nil ? left : min(left ?? .max, 10_000_000)
            call.ready = readyOnes(of: events, nanoseconds: patience)
            if isStopped() { return .stop }
            if call.ready != 0 || left == 0 || (isRingDue && masked.load() == 0) { break }
        }
        answer(call)
        return .resume
    }

    /// Which of the events are ready; 0 after a time-out, a signal, or a request to stop.
    private func readyOnes(of events: Events, nanoseconds: UInt64?) -> UInt32 {
        var set = WaitSet()
        set.add(WaitFor(platform.control.event.fd))
        set.add(WaitFor(events.hasConsole ? platform.console.input : -1))
        set.add(ringInterrupt ?? WaitFor(-1))
        for (_, fd) in events.nets { set.add(WaitFor(fd)) }
        var hasAnswers = false
        for (_, ring) in events.rings {
            set.add(WaitFor(ring.answered.fd))
            if !ring.await() { hasAnswers = true }
        }
        _ = set.wait(nanoseconds: hasAnswers ? 0 : nanoseconds)
        var ready: UInt32 = set.isReady(1) ? UInt32(SWIFTLET_POLL_CONSOLE) : 0
        for (index, (event, _)) in events.nets.enumerated() where set.isReady(3 + index) { ready |= event }
        for (event, ring) in events.rings where ring.endAwait() { ready |= event }
        return ready
    }
}
