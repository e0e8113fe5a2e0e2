// The control socket's client: `swiftlet host --control SOCKET start firewall`.
//
// Read next: ../swiftlet-inspect/Inspect.swift.

import Host
import Hosting
import Subcommand

struct ControlClient {
    private let path: String
    private let json: Bool
    private let leaveKey: UInt8

    init(_ path: String, json: Bool, leaveKey: UInt8) { (self.path, self.json, self.leaveKey) = (path, json, leaveKey) }

    /// Returns the exit status.
    func ask(_ words: [String]) throws(SubcommandError) -> Int32 {
        let request: ControlRequest
        do throws(ControlError) { request = try ControlRequest(words) } catch {
            throw SubcommandError("host: \(error.message)")
        }
        let socket = try connect()
        var answer = Answer()
        socket.sendAll(Array(request.line.utf8))
        if case .machine(.console, _) = request {
            while !answer.hasVerdict, receive(from: socket, into: &answer) {}
            try answer.check()
            return console(socket, shown: answer.payload)
        }
        while receive(from: socket, into: &answer) {}
        try answer.check()
        try show(request, answer.payload)
        return 0
    }

    private func show(_ request: ControlRequest, _ payload: [UInt8]) throws(SubcommandError) {
        let text = String(decoding: payload, as: UTF8.self)
        switch request {
        case .machine(.log, _), .reload: try printResult(text)
        case .machine(.stats, _), .list:
            if json { return try printResult(text) }
            let reports = try JSON.value([MachineReport].self, payload, name: path)
            try printResult(request == .list ? machineTable(reports) : reports.map { machineText($0) }.joined())
        default: break
        }
    }

    private func connect() throws(SubcommandError) -> StreamSocket {
        do throws(HostError) { return try StreamSocket(connectingTo: path) } catch {
            throw SubcommandError("host: \(path): \(errnoText(error.errno)): is a host there, with --control?")
        }
    }

    /// False at the end.
    private func receive(from socket: borrowing StreamSocket, into answer: inout Answer) -> Bool {
        switch socket.receive(into: &answer.bytes, atMost: 1 << 16) {
        case .done, .notReady: true
        case .end, .gone, .failed: false
        }
    }

    /// The machine's console is this terminal's, until the leave key or the machine's end.
    private func console(_ socket: borrowing StreamSocket, shown: [UInt8]) -> Int32 {
        let terminal = RawTerminal(0)
        defer { _ = terminal }
        _ = writeBytes(shown, to: 1)
        var hasInput = true
        while true {
            let (typed, said, _) = wait(for: WaitFor(hasInput ? 0 : -1), WaitFor(socket.fd), nanoseconds: nil)
            if typed, let keys = readAvailable(0, 4096) {
                let key = keys.firstIndex(of: leaveKey)
                socket.sendAll(Array(keys[..<(key ?? keys.endIndex)]))
                if key != nil { return 0 }
                hasInput = !keys.isEmpty
            }
            var answer = Answer()
            if said, !receive(from: socket, into: &answer) || !writeBytes(answer.bytes, to: 1) { return 0 }
        }
    }
}

/// "ok" or "error WHY" on the first line, then the payload.
private struct Answer {
    var bytes: [UInt8] = []

    var hasVerdict: Bool { bytes.contains(0x0a) }

    private var verdict: String { String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self) }

    var payload: [UInt8] { Array(bytes.drop { $0 != 0x0a }.dropFirst()) }

    func check() throws(SubcommandError) {
        if verdict == "ok" { return }
        let reason = verdict.hasPrefix("error ") ? String(verdict.dropFirst(6)) : "what answers there is no host"
        throw SubcommandError("host: \(printable(reason))")
    }
}
