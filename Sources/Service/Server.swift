// The server: a fixed number of threads that wait for connections, read requests, run calls and send answers.
//
// The thread that the kernel wakes for a request runs its call too: no hand-over between threads, which would cost as much
// as a small guest's whole life. Nobody's slowness holds up anybody else: no thread ever waits for one connection.
// Read next: Client.swift, ../swiftlet-serve/ServeCommand.swift.

import Glibc
import Host
import Synchronization

public final class Server<Service: Callee>: Sendable {
    private let service: Service
    private let limits: ServiceLimits
    private let listener: Listener
    private let events: EventSet
    private let connections: ConnectionTable
    private let lastID = Atomic<UInt64>(Id.first)
    private let isStopping = Atomic<Bool>(false)
    private let hasEnded = Atomic<Bool>(false)
    private let end: Pipe
    private let workers = Mutex<[KeptThread]>([])

    /// Listens and serves from here on. Stop signals must be blocked (StopSignals).
    public init(
        _ service: Service, at listener: consuming Listener, _ limits: ServiceLimits = ServiceLimits()
    ) throws(HostError) {
        let events = try EventSet()
        let end = try Pipe()
        try events.watch(listener.socket.fd, id: Id.listener, once: true)
        try events.watch(end.reader, id: Id.end, once: false)
        connections = ConnectionTable(limit: limits.connections)
        (self.service, self.limits) = (service, limits)
        self.listener = listener
        self.events = events
        self.end = end
        for _ in 0..<max(1, limits.workers) {
            let worker = try KeptThread { [self] in work() }
            workers.withLock { $0.append(worker) }
        }
    }

    /// Connections that there are.
    public var connectionCount: Int { connections.count }

    /// Of these, those that have no request under way.
    var idleCount: Int { connections.idleCount }

    /// To be called now and then: hangs up on whoever keeps a request or an answer waiting for longer than is patient.
    public func watch() {
        let now = Clock.monotonic()
        connections.hangUpLate(since: now - min(now, limits.patience))
    }

    /// Takes no more requests, waits until the running ones are answered, but not longer than `nanoseconds` or after
    /// `isOver`, and ends. False when some were not.
    public func stop(nanoseconds: UInt64, isOver: () -> Bool = { false }) -> Bool {
        isStopping.store(true, ordering: .releasing)
        listener.removeName()
        events.forget(listener.socket.fd)
        let deadline = Clock.monotonic() + nanoseconds
        while connections.count > 0, Clock.monotonic() < deadline, !isOver() {
            connections.endInputs()
            _ = wait(for: WaitFor(-1), nanoseconds: 2_000_000)
        }
        if connections.count > 0 { return false }
        hasEnded.store(true, ordering: .releasing)
        end.write([0])
        for worker in workers.withLock({ $0 }) { worker.join() }
        return true
    }

    /// A worker's whole life.
    private func work() {
        while !hasEnded.load(ordering: .acquiring) {
            guard let id = events.next() else { continue }
            if id == Id.listener {
                accept()
            } else if let connection = connections[id] {
                proceed(connection, isNew: false)
            }
        }
    }

    private func accept() {
        guard !isStopping.load(ordering: .acquiring) else { return }
        do throws(HostError) {
            let socket = try listener.socket.accept()
            watchListener()  // another worker may take the next one meanwhile
            let id = lastID.add(1, ordering: .relaxed).newValue
            let connection = Connection(socket, id: id, limit: limits.request)
            if connections.add(connection) { return proceed(connection, isNew: true) }
            let reason = "the server has \(limits.connections) connections, all in use"
            service.refused(reason)
            _ = connection.socket.send(CallAnswer(.refused, words: reason).bytes)
        } catch {
            // Descriptors or memory may be back soon. Nobody there any more is no reason to wait.
            if error.errno != EAGAIN, error.errno != ECONNABORTED, error.errno != EINTR {
                _ = wait(for: WaitFor(-1), nanoseconds: 10_000_000)
            }
            watchListener()
        }
    }

    private func watchListener() {
        // Fails only once it is forgotten, at the end.
        if !isStopping.load(ordering: .acquiring) { try? events.watchAgain(listener.socket.fd, id: Id.listener) }
    }

    private func proceed(_ connection: Connection, isNew: Bool) {
        let (next, used) = connection.proceed(service, isStopping: isStopping.load(ordering: .acquiring))
        defer { if let used { service.recover(used) } }
        guard next != .close else { return connections.remove(connection.id) }
        let interest: EventSet.Interest = next == .write ? .write : .read
        do throws(HostError) {
            if isNew {
                try events.watch(connection.socket.fd, id: connection.id, interest, once: true)
            } else {
                try events.watchAgain(connection.socket.fd, id: connection.id, interest)
            }
        } catch { connections.remove(connection.id) }
    }
}

/// Ids in the event set that are no connection's.
private enum Id {
    static let listener: UInt64 = 1
    static let end: UInt64 = 2
    static let first: UInt64 = 16
}
