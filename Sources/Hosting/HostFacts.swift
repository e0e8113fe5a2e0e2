// Facts about this server, asked of `swiftlet doctor` when somebody wants to see them: its text, once for all terminals.
//
// Read next: TerminalSession.swift.

import Host

public final class HostFacts: Participant {
    private let program: String
    private var channel: Channel?
    private var bytes: [UInt8] = []
    private(set) var lines: [[UInt8]] = []
    private(set) var generation = 0

    /// The path of `swiftlet`.
    public init(_ program: String) { self.program = program }

    /// Asks, unless it is being asked or has answered.
    func ask() {
        if channel != nil || !bytes.isEmpty { return }
        lines = [asciiBytes("swiftlet doctor is measuring ...")]
        do throws(HostError) {
            let pipe = try OutputPipe()
            let end = Wire.descriptor(pipe.writer.fd)
            _ = try spawn(program, ["doctor"], (.closed, end, end))
            channel = Channel(pipe.takeReader())
        } catch { lines = [asciiBytes("cannot ask swiftlet doctor: \(error.message)")] }
    }

    func wait(_ waits: inout Waits) { channel?.wait(&waits) }

    func proceed(_ waits: borrowing Waits, now: UInt64) {
        guard let channel, waits.isReady(channel.fd) else { return }
        bytes += channel.receive()
        if bytes.count > 1 << 18 { self.channel = nil }
        if channel.isGone { self.channel = nil }
        if self.channel == nil { lines = PlainText(bytes).lines }
        generation += 1
    }
}
