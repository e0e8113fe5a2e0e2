// A network without an interface: two sockets that keep frames apart.
//
// Read next: Taps.swift.

import Devices
import Glibc
import Host

/// A network of two ends that is no tap: a pair of sockets that keep frames apart (unix(7), SOCK_SEQPACKET).
public final class SocketWire: Sendable {
    private let ours: Int32
    private let theirs: Int32

    public init() {
        var pair: [2 of Int32] = [0, 0]
        let made = withUnsafeMutableBytes(of: &pair) { bytes in
            socketpair(
                AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | O_NONBLOCK, 0,
                bytes.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        precondition(made == 0, "socketpair")
        (ours, theirs) = (pair[0], pair[1])
    }

    deinit { close(ours) }

    /// To be called once: it owns the other end.
    public func device() -> NetDevice {
        guard let address = MACAddress("02:00:00:00:00:01") else { preconditionFailure("that is an address") }
        return NetDevice(
            name: "service", interface: "wire", address: address, mtu: 1500,
            file: File(owning: theirs))
    }

    public func send(_ frame: [UInt8]) { precondition(write(ours, frame, frame.count) == frame.count, "write") }

    /// Waits up to 20 s; empty when none comes.
    public func receive() -> [UInt8] {
        var frame = [UInt8](repeating: 0, count: 4096)
        _ = wait(for: WaitFor(ours), nanoseconds: 20_000_000_000)
        let count = read(ours, &frame, frame.count)
        return count > 0 ? Array(frame[..<count]) : []
    }

    /// Whether no frame waits.
    public var isEmpty: Bool { !wait(for: WaitFor(ours), nanoseconds: 0).0 }
}
