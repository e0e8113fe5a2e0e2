// One connection: reads a request, has it run, sends the answer, and so on, never waiting for its other side.
//
// A worker owns it from the moment it is ready until it is watched again, so at most one request of each is under way and
// one is in memory. Read next: Server.swift.

import Host
import Synchronization

final class Connection: Sendable {
    let id: UInt64
    let socket: StreamSocket
    private let state: Mutex<State>
    /// When it came into its phase (CLOCK_MONOTONIC). For those who look after all connections, and own none.
    private let since: Atomic<UInt64>
    private let phase = Atomic<UInt8>(Phase.calling.rawValue)

    enum Phase: UInt8 { case idle, receiving, calling, sending }

    /// What is to be done with it next.
    enum Next { case read, write, close }

    private struct State {
        var reader: RequestReader
        /// The answer, and how much of it is sent.
        var answer: [UInt8] = []
        var sent = 0
        var closesAfterAnswer = false
    }

    init(_ socket: consuming StreamSocket, id: UInt64, limit: Int) {
        self.socket = socket
        self.id = id
        state = Mutex(State(reader: RequestReader(limit: limit)))
        since = Atomic(Clock.monotonic())
    }

    /// Whether a request of it is neither under way nor half here.
    var isIdle: Bool { phase.load(ordering: .relaxed) == Phase.idle.rawValue }

    /// Since when it is its other side's turn; nil when it is ours. What has come and was not read yet is ours.
    func waitsSince() -> UInt64? {
        let since = since.load(ordering: .relaxed)
        switch Phase(rawValue: phase.load(ordering: .relaxed)) {
        case .idle, .receiving: return wait(for: WaitFor(socket.fd), nanoseconds: 0).0 ? nil : since
        case .sending: return wait(for: WaitFor(socket.fd, write: true), nanoseconds: 0).0 ? nil : since
        default: return nil
        }
    }

    private func enter(_ phase: Phase) {
        if self.phase.exchange(phase.rawValue, ordering: .relaxed) != phase.rawValue {
            since.store(Clock.monotonic(), ordering: .relaxed)
        }
    }

    /// Goes on with it as far as it goes without waiting. One call at most: then it is others' turn. What that has used up
    /// is for the caller to recover, when it has had the connection watched again.
    func proceed<Service: Callee>(_ callee: Service, isStopping: Bool) -> (Next, Service.Used?) {
        state.withLock { state in
            var used: Service.Used?
            if !state.answer.isEmpty { return (send(&state), nil) }
            while true {
                var bytes: [UInt8] = []
                let transfer = socket.receive(into: &bytes, atMost: min(state.reader.wanted, 1 << 16))
                switch transfer {
                case .done: break
                case .notReady:
                    enter(state.reader.isEmpty ? .idle : .receiving)
                    return (.read, nil)
                case .end, .gone, .failed: return (.close, nil)
                }
                enter(.receiving)
                guard let answer = answer(&state, bytes, callee, isStopping, &used) else { continue }
                (state.answer, state.sent) = (answer.bytes, 0)
                return (send(&state), used)
            }
        }
    }

    /// Nil while the request is not complete.
    private func answer<Service: Callee>(
        _ state: inout State, _ bytes: [UInt8], _ callee: Service, _ isStopping: Bool, _ used: inout Service.Used?
    ) -> CallAnswer? {
        var reason = "the server is ending"
        do throws(RequestReader.Refusal) {
            guard let input = try state.reader.take(bytes) else { return nil }
            if !isStopping {
                enter(.calling)
                let start = Clock.monotonic()
                let (answer, taken) = callee.call(input)
                used = taken
                callee.answered(answer, inputSize: input.count, nanoseconds: Clock.monotonic() - start)
                return answer
            }
        } catch { reason = error.message }
        state.closesAfterAnswer = true
        callee.refused(reason)
        return CallAnswer(.refused, words: reason)
    }

    private func send(_ state: inout State) -> Next {
        while state.sent < state.answer.count {
            switch socket.send(state.answer, from: state.sent) {
            case .done(let count): state.sent += count
            case .notReady:
                enter(.sending)
                return .write
            case .end, .gone, .failed: return .close
            }
        }
        state.answer = []
        if state.closesAfterAnswer { return .close }
        enter(.idle)
        return .read
    }
}
