// The net call: one Ethernet frame out, or one in, with a deadline to wait for it. docs/ABI.md, "net".
//
// Read next: DevicePoll.swift.

import CABI
import Devices
import GuestMemory
import Host
import Rings

extension VCPUContext {
    mutating func net() -> Action {
        var call = arguments(swiftlet_net.self)
        guard case .net(let device) = device(call.device) else {
            return misuse("net: device \(call.device) is no network interface of this machine's")
        }
        if let wrong = wrong(call, device) { return misuse(wrong) }
        let sends = call.operation == UInt32(SWIFTLET_NET_SEND)
        while true {
            let moved = move(call, device, sends: sends)
            switch moved {
            case .done(let bytes): call.result = Int64(bytes)
            case .notReady:
                switch waitForDevice(WaitFor(device.fd, write: sends), until: call.deadline) {
                case .stopped: return .stop
                case .ready: continue
                case .passed, .interrupted: call.result = Int64(SWIFTLET_TIMED_OUT)
                }
            case .interrupted:
                if isStopped() { return .stop }
                continue
            default: call.result = Int64(moved.failure ?? SWIFTLET_IO_ERROR)
            }
            answer(call)
            return .resume
        }
    }

    /// What no correct guest asks for.
    private func wrong(_ call: swiftlet_net, _ device: NetDevice) -> String? {
        let address = GuestAddress(call.buffer)
        switch Int32(bitPattern: call.operation) {
        case SWIFTLET_NET_SEND where !(14...device.largestFrame).contains(call.length):
            return "net: a frame of \(call.length) bytes is not in 14...\(device.largestFrame)"
        case SWIFTLET_NET_RECEIVE where call.length < device.largestFrame:
            return "net: a buffer of \(call.length) bytes, and a frame may have \(device.largestFrame)"
        case SWIFTLET_NET_SEND, SWIFTLET_NET_RECEIVE:
            if platform.memory.contains(address, call.length) { return nil }
            return "net: \(call.length) bytes at \(address.description) are not in guest memory"
        default: return "net: unknown operation \(call.operation)"
        }
    }

    private func move(_ call: swiftlet_net, _ device: NetDevice, sends: Bool) -> FrameResult {
        let address = GuestAddress(call.buffer)
        let result =
            sends
            ? platform.memory.withSpan(address, call.length) { device.send($0) }
            : platform.memory.withMutableSpan(address, call.length) { device.receive(into: &$0) }
        return result ?? .malformed
    }

    /// As `waitForEvents`, for one descriptor.
    private mutating func waitForDevice(_ wanted: WaitFor, until deadline: UInt64) -> SleepEnd {
        let timer = interruptDeadline
        while true {
            let left = platform.clock.remaining(until: min(deadline, timer))
            if left == 0 { return timer < deadline ? .interrupted : .passed }
            let (ready, stopped, isDue) = Host.wait(
                for: wanted, WaitFor(platform.control.event.fd), ringInterrupt, nanoseconds: left)
            if stopped, isStopped() { return .stopped }
            if ready { return .ready }
            if isDue { return .interrupted }
        }
    }
}
