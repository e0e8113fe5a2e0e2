// The socket's file: takes the place of one that nobody listens at, of no other, and goes away at the end.
//
// Who starts a server at the same time waits: the folder is locked meanwhile (flock(2)), and nothing else is left behind.
// Read next: Server.swift.

import Glibc
import Host

/// Why there can be no server at a path.
public struct ListenError: Error, Sendable {
    public let message: String
    init(_ path: String, _ reason: String) { message = "\(path): \(reason)" }
}

public struct Listener: ~Copyable, Sendable {
    public let path: String
    public let socket: StreamSocket
    private let identity: FileIdentity?

    public init(_ path: String) throws(ListenError) {
        if path.isEmpty { throw ListenError("''", "a socket needs a path") }
        if path.utf8.count > StreamSocket.longestPath {
            throw ListenError(
                path, "a socket's path has at most \(StreamSocket.longestPath) bytes: use a shorter or a relative one")
        }
        let socket = try Self.open(path)
        self.path = path
        identity = FileIdentity(path)
        self.socket = socket
    }

    private static func open(_ path: String) throws(ListenError) -> StreamSocket {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        do throws(HostError) {
            let lock = try File(folder, .read)
            try lock.lock()
            if FileIdentity(path) != nil { try makeRoom(path) }
            return try StreamSocket(listeningAt: path)
        } catch {
            throw ListenError(path, words(error.errno))
        }
    }

    private static func words(_ error: Int32) -> String {
        switch error {
        case EADDRINUSE: "somebody listens there already: end that server, or use another path"
        case EEXIST: "there is something else than a socket, which stays: use another path"
        default: errnoText(error)
        }
    }

    /// Removes a socket of a server that is gone.
    private static func makeRoom(_ path: String) throws(HostError) {
        guard FileIdentity(path)?.isSocket == true else { throw HostError("bind", path, errno: EEXIST) }
        do throws(HostError) { _ = try StreamSocket(connectingTo: path) } catch {
            if error.errno == ECONNREFUSED { removeFile(path) }
            return  // another error comes again when it is bound
        }
        throw HostError("bind", path, errno: EADDRINUSE)
    }

    /// Takes the name away, if it is still ours.
    public func removeName() {
        if identity != nil, FileIdentity(path) == identity { removeFile(path) }
    }

    deinit { removeName() }
}
