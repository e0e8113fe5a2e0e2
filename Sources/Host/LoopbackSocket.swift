// TCP sockets that only this host can reach: for scrapers and debuggers that know no Unix sockets.
//
// Anybody on the host may connect, which a Unix socket's file would forbid. Read next: EventSet.swift.

import CHost
import Glibc

extension StreamSocket {
    /// Listens at a port of 127.0.0.1, 0 for any that is free. It does not block.
    public init(listeningOnLoopback port: UInt16) throws(HostError) {
        try self.init(listeningAt: 0x7f00_0001, port, text: "127.0.0.1:\(port)")
    }

    /// Listens at "127.0.0.1:PORT", or another address of 127.0.0.0/8; EINVAL for any other text. It does not block.
    public init(listeningAtLoopback text: String) throws(HostError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0, bytes.count == 4, bytes[0] == 127,
            !bytes.contains(nil)
        else { throw HostError("bind", text, errno: EINVAL) }
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1 ?? 0) }
        try self.init(listeningAt: address, port, text: text)
    }

    private init(listeningAt address: UInt32, _ port: UInt16, text: String) throws(HostError) {
        let result = chost_listen_loopback(address, port)
        if result < 0 { throw HostError("bind", text, errno: Int32(-result)) }
        self.init(owning: Int32(result))
    }

    /// The port that it listens at.
    public var port: UInt16 { chost_port(fd) }
}
