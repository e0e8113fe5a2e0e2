// Which connections there are: bounded, and the one whose other side has done nothing for longest gives way.
//
// Read next: Server.swift.

import Host
import Synchronization

final class ConnectionTable: Sendable {
    private let limit: Int
    private let all = Mutex<[UInt64: Connection]>([:])

    init(limit: Int) { self.limit = limit }

    subscript(id: UInt64) -> Connection? { all.withLock { $0[id] } }

    var count: Int { all.withLock { $0.count } }

    var idleCount: Int { all.withLock { $0.values.count { $0.isIdle } } }

    /// False when it is full, and nobody keeps us waiting: then it is we who are too slow.
    func add(_ connection: Connection) -> Bool {
        all.withLock { all in
            if all.count >= limit, let slowest = all.values.compactMap(Waiting.init).min() {
                slowest.connection.socket.hangUp()  // a worker that has it at this moment finds it hung up
                all[slowest.connection.id] = nil
            }
            if all.count >= limit { return false }
            all[connection.id] = connection
            return true
        }
    }

    /// Its socket is closed when nobody uses it any more.
    func remove(_ id: UInt64) { all.withLock { $0[id] = nil } }

    /// Hangs up on those that have kept a request or an answer waiting since before that time.
    func hangUpLate(since time: UInt64) {
        for connection in all.withLock({ Array($0.values) }) where !connection.isIdle {
            if let since = connection.waitsSince(), since < time { connection.socket.hangUp() }
        }
    }

    /// Nobody is heard any more; answers can still be sent.
    func endInputs() { for connection in all.withLock({ Array($0.values) }) { connection.socket.endInput() } }
}

/// A connection whose other side is to do something, and has been for some time.
private struct Waiting: Comparable {
    let connection: Connection
    private let since: UInt64

    init?(_ connection: Connection) {
        guard let since = connection.waitsSince() else { return nil }
        (self.connection, self.since) = (connection, since)
    }

    static func < (a: Waiting, b: Waiting) -> Bool { a.since < b.since }
    static func == (a: Waiting, b: Waiting) -> Bool { a.since == b.since }
}
