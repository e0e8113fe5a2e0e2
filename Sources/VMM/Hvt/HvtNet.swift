// hvt's calls on network interfaces: one Ethernet frame for each call.
//
// Where there is a ring, unikernels use that for most frames (HvtRing.swift). Read next: HvtRing.swift.

import Devices
import Glibc
import GuestMemory
import Host

/// struct hvt_hc_net_write and hvt_hc_net_read
struct HvtNetCall: BitwiseCopyable {
    var handle: UInt64
    var data: UInt64
    var length: UInt64
    var result: Int32
    var padding: Int32
}

extension VCPUContext {
    mutating func hvtNet(_ address: UInt64, _ hvt: Hvt, sends: Bool) -> Action {
        guard var call = hvtArguments(address, hvt, HvtNetCall.self) else { return invalidAccess(address, 32) }
        call.result = HvtResult.invalid
        if let net = hvt.device(call.handle)?.net {
            guard sends ? hvt.allows(call.data, call.length) : hvt.allowsWriting(call.data, call.length) else {
                return invalidAccess(call.data, call.length)
            }
            if let stop = sends ? send(&call, net) : receive(&call, net) { return end(stop) }
        }
        hvtAnswer(call, address)
        return .resume
    }

    private func send(_ call: inout HvtNetCall, _ net: NetDevice) -> Stop? {
        while true {
            switch platform.memory.withSpan(GuestAddress(call.data), call.length, { net.send($0) }) {
            case .done?: call.result = HvtResult.ok
            case .malformed?, nil: call.result = HvtResult.invalid
            case .down?: call.result = HvtResult.unspecified
            case .gone?: return .hostFailed("writing to \(net.words)", errno: ENODEV)
            case .failed(let errno)?: return .hostFailed("writing to \(net.words)", errno: errno)
            case .notReady?, .interrupted?:
                if let stop = platform.control.requested { return stop }
                let room = WaitFor(net.fd, write: true)
                _ = wait(for: room, WaitFor(platform.control.event.fd), nanoseconds: nil)
                continue
            }
            return nil
        }
    }

    private func receive(_ call: inout HvtNetCall, _ net: NetDevice) -> Stop? {
        while true {
            switch platform.memory.withMutableSpan(GuestAddress(call.data), call.length, { net.receive(into: &$0) }) {
            case .done(let bytes)?:
                call.length = UInt64(bytes)
                call.result = HvtResult.ok
            case .notReady?, .down?: call.result = HvtResult.again
            case .malformed?, nil: call.result = HvtResult.invalid
            case .gone?: return .hostFailed("reading from \(net.words)", errno: ENODEV)
            case .failed(let errno)?: return .hostFailed("reading from \(net.words)", errno: errno)
            case .interrupted?:
                if let stop = platform.control.requested { return stop }
                continue
            }
            return nil
        }
    }
}
