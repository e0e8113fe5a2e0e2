// The control socket's other side: a connection brings one request and takes its answer.
//
// Whoever may open the socket's file may do all that a person at the chooser may, but end the host.
// Read next: Metrics.swift.

import Host
public import Service

public final class ControlServer: Participant {
    private let listener: Listener
    private let supervisor: Supervisor
    /// Reports as JSON.
    private let json: ([MachineReport]) -> String
    private var connections: [ControlConnection] = []
    private static let mostConnections = 32

    public init(_ listener: consuming Listener, _ supervisor: Supervisor, json: @escaping ([MachineReport]) -> String) {
        self.listener = listener
        (self.supervisor, self.json) = (supervisor, json)
    }

    func wait(_ waits: inout Waits) {
        waits.add(listener.socket.fd)
        for connection in connections { connection.wait(&waits) }
    }

    func proceed(_ waits: borrowing Waits, now: UInt64) {
        if waits.isReady(listener.socket.fd) { accept(now) }
        for connection in connections { proceed(connection, now) }
        for connection in connections where connection.isOver(now) { connection.close() }
        connections.removeAll { $0.isOver(now) }
    }

    private func accept(_ now: UInt64) {
        while let file = acceptConnection(listener.socket.fd) {
            let connection = ControlConnection(Channel(file, limit: 1 << 20), now)
            if connections.count >= Self.mostConnections { connection.refuse("too many connections") }
            connections.append(connection)
        }
    }

    private func proceed(_ connection: ControlConnection, _ now: UInt64) {
        do throws(ControlError) {
            guard let request = try connection.read() else { return }
            try answer(request, connection, now)
        } catch { connection.refuse(error.message) }
    }

    private func answer(_ request: ControlRequest, _ connection: ControlConnection, _ now: UInt64) throws(ControlError)
    {
        switch request {
        case .list: connection.finish(json(supervisor.machines.map { $0.report(now) }))
        case .reload: connection.finish(try supervisor.reload() + "\n")
        case .machine(let verb, let id): try answer(verb, id, connection, now)
        }
    }

    private func answer(
        _ verb: ControlRequest.Verb, _ id: String, _ connection: ControlConnection, _ now: UInt64
    ) throws(ControlError) {
        guard let machine = supervisor[id] else { throw ControlError("there is no machine '\(id)'") }
        switch verb {
        case .start: try connection.finish(supervisor.start(machine))
        case .stop: try connection.finish(supervisor.stop(machine))
        case .restart: try connection.finish(supervisor.restart(machine))
        case .stats: connection.finish(json([machine.report(now)]))
        case .log: connection.finish(PlainText(machine.log.bytes).text)
        case .console:
            guard machine.process != nil else { throw ControlError("\(id) does not run") }
            connection.attach(machine)
        }
    }
}

/// One connection. Whatever its client does or does not do, it costs no more than its queue.
final class ControlConnection: ConsoleReader {
    private let channel: Channel
    private var received: [UInt8] = []
    private var machine: HostedMachine?
    private var isAnswered = false
    /// By then a request must have come, and an answer that is no console must be taken.
    private let deadline: UInt64
    private static let patience: UInt64 = 10_000_000_000

    init(_ channel: Channel, _ now: UInt64) {
        self.channel = channel
        deadline = now &+ Self.patience
    }

    func wait(_ waits: inout Waits) {
        channel.wait(&waits)
        if machine == nil { waits.until(deadline) }
    }

    func isOver(_ now: UInt64) -> Bool {
        channel.isGone || machine == nil && (isAnswered && channel.isEmpty || now >= deadline)
    }

    func close() { machine?.detach(self) }

    /// The request, once it is there; of a console what is typed goes to the machine.
    func read() throws(ControlError) -> ControlRequest? {
        channel.flush()
        let bytes = channel.receive()
        if let machine {
            machine.type(bytes)
            return nil
        }
        if isAnswered { return nil }
        received += bytes
        return try ControlRequest(received: received)
    }

    func refuse(_ words: String) { answer("error \(String(decoding: asciiBytes(words), as: UTF8.self))\n") }
    func finish(_ payload: String) { answer("ok\n" + payload) }

    /// What a supervisor said: nil is well.
    func finish(_ why: String?) throws(ControlError) {
        if let why { throw ControlError(why) }
        answer("ok\n")
    }

    func attach(_ machine: HostedMachine) {
        answer("ok\n")
        self.machine = machine
        machine.attach(self)
    }

    private func answer(_ text: String) {
        if isAnswered { return }
        isAnswered = true
        channel.send(Array(text.utf8))
    }

    func take(_ bytes: [UInt8]) { channel.send(bytes) }
    func machineEnded(_ words: String) { machine = nil }
}
