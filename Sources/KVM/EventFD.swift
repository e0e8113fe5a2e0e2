// An eventfd: a counter in the kernel that one side adds to and the other waits for.
//
// KVM signals one for us (ioeventfd, VM.attach). The VMM also wakes its own blocking calls with one.
// Read next: VM.swift.

import CKVM
import Glibc

/// An owned eventfd (eventfd(2)), non-blocking, closed on exec.
public struct EventFD: ~Copyable, Sendable {
    public let fd: Int32

    public init() throws(KVMError) {
        fd = Int32(try check(ckvm_eventfd(), "eventfd"))
    }

    deinit { close(fd) }

    /// Adds one to the counter.
    public func signal() {
        _ = ckvm_eventfd_signal(fd)
    }

    /// Takes the counter and sets it to zero.
    public func take() -> UInt64 {
        ckvm_eventfd_take(fd)
    }
}
