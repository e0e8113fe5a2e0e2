// A TCP socket of this host alone: what a debugger connects to that cannot use a Unix socket.
//
// Whoever is on this host may connect, which a Unix socket's file would forbid. Read next: EventSet.swift.

import CHost

extension UnixSocket {
    /// Listens at a port of 127.0.0.1, 0 for any that is free. It does not block.
    public init(listeningOnLoopback port: UInt16) throws(HostError) {
        let result = chost_listen_loopback(port)
        if result < 0 { throw HostError("listen", "127.0.0.1:\(port)", errno: Int32(-result)) }
        self.init(owning: Int32(result))
    }

    /// The port that it listens at.
    public var port: UInt16 { chost_port(fd) }
}
