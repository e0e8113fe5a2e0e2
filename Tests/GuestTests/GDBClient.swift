// A debugger of our own for tests: gdb's remote protocol over a Unix socket, a packet at a time, well-behaved or not.
//
// Read next: DebuggerTests.swift.

import Foundation
import GuestCases
import Host
import Testing

/// A connection to `swiftlet run --gdb unix:PATH`.
final class GDBClient {
    private let socket: StreamSocket
    private var bytes: [UInt8] = []

    /// Waits for the socket, and until somebody listens: between the two it refuses.
    init(_ path: String) throws {
        let deadline = Clock.monotonic() + 20_000_000_000
        while true {
            do throws(HostError) {
                socket = try StreamSocket(connectingTo: path)
                return
            } catch { if Clock.monotonic() > deadline { throw error } }
            usleep(2000)
        }
    }

    static func framed(_ text: String) -> [UInt8] {
        let sum = text.utf8.reduce(0 as UInt8) { $0 &+ $1 }
        return Array("$\(text)#".utf8) + Array((sum < 16 ? "0" : "").utf8) + Array(String(sum, radix: 16).utf8)
    }

    func send(raw bytes: [UInt8]) { _ = socket.send(bytes) }

    func send(_ text: String) { send(raw: Self.framed(text)) }

    /// Ctrl-C.
    func interrupt() { send(raw: [3]) }

    /// The next packet; nil when the other side has gone.
    func receive() -> String? {
        while true {
            if let start = bytes.firstIndex(of: 0x24), let end = bytes[start...].firstIndex(of: 0x23),
                end + 2 < bytes.count
            {
                let text = String(decoding: bytes[start + 1..<end], as: UTF8.self)
                bytes.removeFirst(end + 3)
                send(raw: [0x2b])
                return text
            }
            guard case .done = socket.receive(into: &bytes, atMost: 65536) else { return nil }
        }
    }

    /// What comes back that is no text for the user.
    func ask(_ text: String) -> String? {
        send(text)
        return answer()
    }

    func answer() -> String? {
        while let packet = receive() { if !packet.hasPrefix("O") || packet == "OK" { return packet } }
        return nil
    }

    /// What `monitor` prints.
    func monitor(_ command: String) -> String {
        send("qRcmd," + command.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        var text = ""
        while let packet = receive(), packet != "OK" { text += Self.text(packet.dropFirst()) }
        return text
    }

    static func text(_ digits: some StringProtocol) -> String {
        let digits = Array(digits.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) ?? 0x3f
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A register of 64 bits by gdb's number.
    func register(_ number: Int) -> UInt64? {
        guard let text = ask("p" + String(number, radix: 16)), text.count == 16 else { return nil }
        return UInt64(text, radix: 16)?.byteSwapped
    }

    func hangUp() { socket.hangUp() }
}
