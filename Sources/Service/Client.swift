// The other side: calls a server, once or often on one connection, and waits for each answer.
//
// Read next: ../swiftlet-call/CallCommand.swift.

import Glibc
import Host

/// Why there is no answer.
public struct CallError: Error, Sendable {
    public let message: String
    public init(_ message: String) { self.message = message }
}

public struct Client: ~Copyable {
    private let socket: StreamSocket
    private let path: String

    public init(_ path: String) throws(CallError) {
        if path.isEmpty { throw CallError("'': a socket needs a path") }
        do throws(HostError) { socket = try StreamSocket(connectingTo: path) } catch {
            let reason =
                switch error.errno {
                case ECONNREFUSED: "nobody listens there: start 'swiftlet serve'"
                case ENOENT: "there is no server: start 'swiftlet serve'"
                case ENAMETOOLONG: "a socket's path has at most \(StreamSocket.longestPath) bytes: use a relative one"
                default: errnoText(error.errno)
                }
            throw CallError("\(path): \(reason)")
        }
        self.path = path
    }

    /// Sends a request and waits for its answer, as long as it takes.
    public func call(_ input: [UInt8]) throws(CallError) -> CallAnswer {
        guard UInt32(exactly: input.count) != nil else { throw CallError("a request has less than 4 GiB") }
        // A server that does not take it may say why before it has all of it: so the answer is looked for in any case.
        socket.sendAll(CallRequest.bytes(input))
        guard let header = CallAnswer.header(try receive(8)) else {
            throw CallError("\(path): what answers there is no 'swiftlet serve' of this version")
        }
        return CallAnswer(header.end, try receive(header.count))
    }

    private func receive(_ count: Int) throws(CallError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            switch socket.receive(into: &bytes, atMost: min(count - bytes.count, 1 << 16)) {
            case .done, .notReady: continue
            case .end, .gone, .failed:
                throw CallError("\(path): the server hung up before it had answered")
            }
        }
        return bytes
    }
}
