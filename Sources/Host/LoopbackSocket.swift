// A TCP socket that only this host can reach, for scrapers that know no Unix sockets.
//
// Anybody on the host may connect: what is said there is for all of them. Read next: ProcessFigures.swift.

import CHost
import Glibc

public struct LoopbackSocket: ~Copyable, Sendable {
    private let file: File
    public var fd: Int32 { file.fd }

    /// Listens at "127.0.0.1:PORT", or another address of 127.0.0.0/8; EINVAL for any other text.
    public init(_ text: String) throws(HostError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        guard parts.count == 2, let port = UInt16(parts[1]), port > 0, bytes.count == 4, bytes[0] == 127,
            !bytes.contains(nil)
        else { throw HostError("bind", text, errno: EINVAL) }
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1 ?? 0) }
        let result = chost_listen_loopback(address, port)
        if result < 0 { throw HostError("bind", text, errno: Int32(-result)) }
        file = File(owning: Int32(result))
    }
}

/// The next connection of a listening socket, which does not block; nil when there is none.
public func acceptConnection(_ listener: Int32) -> File? {
    let result = chost_accept(listener)
    return result < 0 ? nil : File(owning: Int32(result))
}
