// The one way to wait: ppoll on descriptors, until a deadline.
//
// Every blocking call of the VMM waits here, or for more than three in WaitSet.swift, with the machine's stop descriptor
// among those it watches. Read next: WaitSet.swift.

import CHost
import Glibc

/// What a descriptor is waited for.
public struct WaitFor: Sendable {
    public let fd: Int32
    public let write: Bool
    public init(_ fd: Int32, write: Bool = false) {
        self.fd = fd
        self.write = write
    }
}

/// Waits until one of the descriptors is ready, `nanoseconds` have passed (nil: for ever), or a signal arrives.
///
/// Returns for each whether it is ready (readable, writable, hung up or in error); all false after a time-out or signal.
public func wait(for first: WaitFor, _ second: WaitFor? = nil, _ third: WaitFor? = nil, nanoseconds: UInt64?)
    -> (Bool, Bool, Bool)
{
    var set = (pollEntry(first), pollEntry(second), pollEntry(third))
    let ready = unsafe withUnsafeMutableBytes(of: &set) { bytes in
        let polled = unsafe bytes.assumingMemoryBound(to: pollfd.self)
        guard let nanoseconds else { return unsafe chost_ppoll(polled.baseAddress, 3, nil) }
        let seconds = min(nanoseconds / 1_000_000_000, 1_000_000_000)
        var limit = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return unsafe chost_ppoll(polled.baseAddress, 3, &limit)
    }
    if ready <= 0 { return (false, false, false) }
    return (set.0.revents != 0, set.1.revents != 0, set.2.revents != 0)
}

/// A negative descriptor is ignored by poll(2).
func pollEntry(_ wait: WaitFor?) -> pollfd {
    guard let wait else { return pollfd(fd: -1, events: 0, revents: 0) }
    return pollfd(fd: wait.fd, events: Int16(wait.write ? POLLOUT : POLLIN), revents: 0)
}
