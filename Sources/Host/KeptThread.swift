// A thread that a class or a collection can keep.
//
// Read next: StreamSocket.swift.

import Synchronization

public final class KeptThread: Sendable {
    private let thread: Mutex<Thread?>

    /// Starts `body`.
    public init(_ body: @escaping @Sendable () -> Void) throws(HostError) { thread = Mutex(try Thread(body)) }

    /// As `Thread.kick`, until it is joined.
    public func kick() { thread.withLock { $0?.kick() } }

    /// Waits for its end; to be called once.
    public func join() { thread.withLock { $0.take()?.join() } }
}
