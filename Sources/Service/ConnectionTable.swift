// Which connections there are: bounded, and the one that has been idle for longest gives way.
//
// Read next: Server.swift.

import Synchronization

final class ConnectionTable: Sendable {
    private let limit: Int
    private let all = Mutex<[UInt64: Connection]>([:])

    init(limit: Int) { self.limit = limit }

    subscript(id: UInt64) -> Connection? { all.withLock { $0[id] } }

    var count: Int { all.withLock { $0.count } }

    var idleCount: Int { all.withLock { $0.values.count { $0.idleSince() != nil } } }

    /// False when it is full of connections that are all in use.
    func add(_ connection: Connection) -> Bool {
        all.withLock { all in
            if all.count >= limit, let (id, idlest) = idlest(all) {
                idlest.socket.hangUp()  // a worker that has it at this moment finds it hung up
                all[id] = nil
            }
            if all.count >= limit { return false }
            all[connection.id] = connection
            return true
        }
    }

    private func idlest(_ all: [UInt64: Connection]) -> (UInt64, Connection)? {
        let idle = all.compactMap { entry in entry.value.idleSince().map { (entry, $0) } }
        return idle.min { $0.1 < $1.1 }.map { ($0.0.key, $0.0.value) }
    }

    /// Its socket is closed when nobody uses it any more.
    func remove(_ id: UInt64) { all.withLock { $0[id] = nil } }

    /// Whose other side has kept us waiting since before that time, hangs up; whoever waits for it then finds that.
    func hangUpLate(since time: UInt64) {
        for connection in all.withLock({ Array($0.values) }) where connection.isLate(time) {
            connection.socket.hangUp()
        }
    }

    /// Nobody is heard any more; answers can still be sent.
    func endInputs() { for connection in all.withLock({ Array($0.values) }) { connection.socket.endInput() } }
}
