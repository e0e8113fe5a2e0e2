// The bytes between us and a debugger: a socket that it has connected to, or standard input and output.
//
// It listens once, and whoever comes first is the debugger; the socket's name is gone then. All is opened before the sandbox
// closes, behind which there are only reads, writes and waits. Read next: Packet.swift.

import Host
import VMM

/// What comes from the debugger's side, or from ours while we listen to it.
enum Event: Equatable {
    case packet([UInt8])
    /// Ctrl-C.
    case interrupt
    /// Nobody is there any more.
    case lost
    /// A stop signal of our own process.
    case signalled(Int32)
}

public final class Channel {
    private let console: Console
    /// Keeps the descriptor open; nil for standard input and output.
    private let socket: StreamSocket?
    private var reader = PacketReader()
    /// Bytes come over a reliable stream: once both know, nothing is acknowledged.
    var acknowledges = true
    /// As it was sent.
    private(set) var last: [UInt8] = []

    /// Nanoseconds that a debugger may take to read what it asked for.
    private static let patience: UInt64 = 10_000_000_000

    init(_ console: Console, _ socket: consuming StreamSocket?) {
        self.console = console
        self.socket = socket
    }

    /// The guest's console beside it: where ours are the debugger's, it has nothing to read and writes to standard error.
    public static func guestConsole(_ address: DebuggerAddress) -> Console {
        address == .standard ? Console(input: nothing?.file.fd ?? -1, output: 2) : Console()
    }

    private static let nothing = EmptyInput()

    /// Waits for a debugger; nil when a stop signal comes first. `say` tells the user where to connect.
    public static func open(
        _ address: DebuggerAddress, _ signals: borrowing StopSignals, say: (String) -> Void
    ) throws(HostError) -> Channel? {
        switch address {
        case .standard: return Channel(Console(), nil)
        case .unix(let path):
            let listener = try StreamSocket(listeningAt: path)
            defer { removeFile(path) }
            say("waiting for a debugger: (gdb) target remote \(path)")
            return try accept(listener, signals)
        case .tcp(let port):
            let listener = try StreamSocket(listeningOnLoopback: port)
            say("waiting for a debugger: (gdb) target remote 127.0.0.1:\(listener.port)")
            return try accept(listener, signals)
        }
    }

    private static func accept(
        _ listener: borrowing StreamSocket, _ signals: borrowing StopSignals
    ) throws(HostError) -> Channel? {
        while true {
            let (isCalled, isSignalled, _) = wait(for: WaitFor(listener.fd), WaitFor(signals.fd), nanoseconds: nil)
            if isSignalled { return nil }
            guard isCalled else { continue }
            let socket = try listener.accept()
            return Channel(Console(input: socket.fd, output: socket.fd), consume socket)
        }
    }

    /// What to watch while the guest runs.
    var descriptor: Int32 { console.input }

    /// Waits for the next event.
    func next(_ signals: borrowing StopSignals) -> Event {
        while true {
            switch reader.next() {
            case .packet(let bytes)?:
                if acknowledges, !write([UInt8(ascii: "+")]) { return .lost }
                return .packet(bytes)
            case .interrupt?: return .interrupt
            case .damaged?: if !write([UInt8(ascii: "-")]) { return .lost }
            case .repeatLast?: if !write(last) { return .lost }
            case nil:
                let (isReady, isSignalled, _) = wait(for: WaitFor(descriptor), WaitFor(signals.fd), nanoseconds: nil)
                if isSignalled, let signal = signals.take() { return .signalled(signal) }
                if isReady, !receive() { return .lost }
            }
        }
    }

    /// False when nothing will come any more.
    private func receive() -> Bool {
        var result = ConsoleResult.done(0)
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 16384) { buffer, count in
            var span = unsafe UnsafeMutableRawBufferPointer(buffer).mutableBytes
            result = console.read(&span)
            if case .done(let read) = result { count = read }
        }
        switch result {
        case .done(0), .gone, .failed: return false
        case .interrupted, .notReady: return true
        case .done: return reader.feed(bytes)
        }
    }

    /// Sends a packet; what does not get through is found at the next read.
    func send(_ content: [UInt8]) {
        last = Packet.framed(content)
        _ = write(last)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    private func write(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            switch console.write(bytes, from: start) {
            case .done(let count): start += count
            case .interrupted: continue
            case .notReady:
                if !wait(for: WaitFor(console.output, write: true), nanoseconds: Self.patience).0 { return false }
            case .gone, .failed: return false
            }
        }
        return true
    }
}

/// A descriptor with nothing to read, open as long as the process is.
private final class EmptyInput: Sendable {
    let file: File

    init?() {
        guard let file = try? File("/dev/null", .read) else { return nil }
        self.file = file
    }
}
