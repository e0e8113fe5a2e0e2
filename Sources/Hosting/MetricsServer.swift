// The metrics' endpoint: as much HTTP as a scraper needs, on a Unix socket or on loopback.
//
// Any GET is answered with the metrics, whatever its path, and the connection is closed (RFC 9112, 9.6).
// Read next: ../swiftlet-host/HostCommand.swift.

import Glibc
import Host
public import Service

/// Where metrics are served: "unix:PATH" or "127.0.0.1:PORT".
public enum MetricsAddress: ~Copyable {
    case unix(Listener)
    case loopback(StreamSocket)

    public init(_ text: String) throws(ControlError) {
        do throws(ListenError) {
            if text.hasPrefix("unix:") {
                self = .unix(try Listener(String(text.dropFirst(5))))
                return
            }
        } catch { throw ControlError(error.message) }
        do throws(HostError) { self = .loopback(try StreamSocket(listeningAtLoopback: text)) } catch {
            let isWrong = error.errno == EINVAL
            throw ControlError(
                isWrong ? "'\(text)': unix:PATH, or 127.0.0.1:PORT: no address that others reach" : error.message)
        }
    }

    var fd: Int32 {
        switch self {
        case .unix(let listener): listener.socket.fd
        case .loopback(let socket): socket.fd
        }
    }
}

public final class MetricsServer: Participant {
    private let address: MetricsAddress
    private let supervisor: Supervisor
    private var connections: [Scrape] = []
    private static let mostConnections = 8
    private static let patience: UInt64 = 5_000_000_000

    private struct Scrape {
        let channel: Channel
        let deadline: UInt64
        var request = HTTPRequest()
        var isAnswered = false
        var isOver: Bool { channel.isGone || isAnswered && channel.isEmpty }
    }

    public init(_ address: consuming MetricsAddress, _ supervisor: Supervisor) {
        self.address = address
        self.supervisor = supervisor
    }

    func wait(_ waits: inout Waits) {
        if connections.count < Self.mostConnections { waits.add(address.fd) }
        for connection in connections {
            connection.channel.wait(&waits)
            waits.until(connection.deadline)
        }
    }

    func proceed(_ waits: borrowing Waits, now: UInt64) {
        while connections.count < Self.mostConnections, waits.isReady(address.fd),
            let file = acceptConnection(address.fd)
        {
            connections.append(Scrape(channel: Channel(file, limit: 1 << 20), deadline: now &+ Self.patience))
        }
        for index in connections.indices { proceed(&connections[index], now) }
        connections.removeAll { $0.isOver || now >= $0.deadline }
    }

    private func proceed(_ connection: inout Scrape, _ now: UInt64) {
        connection.channel.flush()
        connection.request.take(connection.channel.receive())
        guard !connection.isAnswered, let verdict = connection.request.verdict else { return }
        connection.isAnswered = true
        connection.channel.send(Array(answer(verdict, now).utf8))
    }

    private func answer(_ verdict: HTTPRequest.Verdict, _ now: UInt64) -> String {
        let metrics = Metrics(supervisor.machines.map { $0.report(now) }).text
        let (status, body) =
            switch verdict {
            case .get: ("200 OK", metrics)
            case .otherMethod: ("405 Method Not Allowed", "GET only\n")
            case .wrong: ("400 Bad Request", "no HTTP request\n")
            }
        let type = verdict == .get ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain"
        return "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Connection: close\r\n\r\n" + body
    }
}

/// The head of a request, as it comes.
public struct HTTPRequest {
    public enum Verdict: Equatable, Sendable { case get, otherMethod, wrong }
    private var bytes: [UInt8] = []
    private static let longest = 8 << 10

    public init() {}

    public mutating func take(_ more: [UInt8]) {
        if bytes.count <= Self.longest { bytes += more.prefix(Self.longest + 1 - bytes.count) }
    }

    /// Nil while its head has no end: an empty line.
    public var verdict: Verdict? {
        let hasEnd = bytes.indices.contains { index in
            bytes[index] == 0x0a
                && (bytes[..<index].last == 0x0a || bytes[..<index].suffix(2) == [0x0a, 0x0d] || index == 0)
        }
        if !hasEnd { return bytes.count > Self.longest ? .wrong : nil }
        let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
        let words = line.split(separator: 0x20)
        guard words.count == 3, words[2].starts(with: Array("HTTP/1.".utf8)) else { return .wrong }
        return words[0].elementsEqual("GET".utf8) ? .get : .otherMethod
    }
}
