// A terminal and the person at it: shows the chooser, or lends the terminal to a machine's console until the leave key.
//
// Only there do a guest's bytes reach the terminal as they are; whatever they made of it is undone before the chooser is
// drawn again, and what the terminal may answer to them presses no key. Read next: ControlRequest.swift.

import Host

public final class TerminalSession: Participant, ConsoleReader {
    private let path: String
    /// Without it nobody is left to speak to: its end is the host's.
    private let isOnly: Bool
    private let supervisor: Supervisor
    private let chooser: Chooser
    private var channel: Channel?
    private var raw: RawTerminal?
    private var screen = Screen(rows: 24, columns: 80)
    private var keys = KeyReader()
    private var mode = Mode.chooser
    private var drawn: UInt64 = 0
    private var lastKey: UInt64 = 0
    private var deafUntil: UInt64 = 0
    private var reopenAt: UInt64 = 0
    private var leftOut = 0

    private enum Mode {
        case chooser
        case attached(HostedMachine)
        /// The machine ended while it was attached: its last words stay until a key.
        case ended
    }

    /// Between two drawings, for fast guests; and at least so often, for what changes with time.
    private static let shortest: UInt64 = 50_000_000
    private static let longest: UInt64 = 1_000_000_000
    private static let deafness: UInt64 = 300_000_000
    private static let reopening: UInt64 = 2_000_000_000

    public init(_ path: String, isOnly: Bool, _ supervisor: Supervisor, _ facts: HostFacts, leaveKey: UInt8) {
        (self.path, self.isOnly, self.supervisor) = (path, isOnly, supervisor)
        chooser = Chooser(supervisor, facts, leaveKey: leaveKey)
    }

    /// Returns why it could not be; then it is tried again later.
    public func openFirst() -> String? {
        do throws(HostError) {
            try open()
            return nil
        } catch { return error.message }
    }

    private func open() throws(HostError) {
        let channel = Channel(try openTerminal(path), limit: 1 << 20)
        raw = RawTerminal(channel.fd)
        channel.send(terminalReset)
        self.channel = channel
        screen.forget()
        keys = KeyReader()
    }

    /// Clears the screen and puts the terminal's modes back.
    public func close() {
        if case .attached(let machine) = mode { machine.detach(self) }
        mode = .chooser
        channel?.send(terminalReset)
        channel?.drain(patience: 200_000_000)
        raw = nil  // while its descriptor is open
        channel = nil
    }

    func wait(_ waits: inout Waits) {
        guard let channel else { return waits.until(reopenAt) }
        channel.wait(&waits)
        if keys.isPending { waits.until(lastKey &+ Self.shortest) }
        // A terminal that takes nothing is not drawn on; that it does wakes us.
        guard case .chooser = mode, channel.isEmpty else { return }
        let isOld = isStale || drawnGeneration != supervisor.generation
        waits.until(drawn &+ (isOld ? Self.shortest : Self.longest))
    }

    /// Something came since it was drawn, too soon to draw again.
    private var isStale = true
    /// Of the supervisor's: another terminal may have changed it since.
    private var drawnGeneration = 0

    func proceed(_ waits: borrowing Waits, now: UInt64) {
        guard let channel else { return reopen(now) }
        channel.flush()
        let bytes = channel.receive()
        if channel.isGone { return lose(now) }
        if !bytes.isEmpty { typed(bytes, now) }
        if keys.isPending, now >= lastKey &+ Self.shortest { press(keys.settle(), now) }
        if channel.isEmpty, channel.leftOut > leftOut {
            channel.send(Array("\r\n[\(channel.leftOut - leftOut) bytes left out]\r\n".utf8))
            leftOut = channel.leftOut
        }
        isStale = true
        if isResized(), case .attached(let machine) = mode {
            machine.resize(rows: screen.rows, columns: screen.columns)
        }
        if case .chooser = mode, channel.isEmpty, now >= drawn &+ Self.shortest { draw(now) }
    }

    /// Whether the terminal has another size than before; a serial line does not know, and has a VT100's.
    private func isResized() -> Bool {
        let size = terminalSize(channel?.fd ?? -1) ?? (24, 80)
        if size == (screen.rows, screen.columns) { return false }
        screen = Screen(rows: size.rows, columns: size.columns)
        return true
    }

    private func draw(_ now: UInt64) {
        chooser.draw(on: &screen, now)
        let changes = screen.changes()
        if !changes.isEmpty { channel?.send(changes) }
        (drawn, isStale, drawnGeneration) = (now, false, supervisor.generation)
    }

    private func typed(_ bytes: [UInt8], _ now: UInt64) {
        lastKey = now
        switch mode {
        case .attached(let machine):
            guard let index = bytes.firstIndex(of: chooser.leaveKey) else { return machine.type(bytes) }
            machine.type(Array(bytes[..<index]))
            leave(now)
        case .ended: leave(now)
        case .chooser where now >= deafUntil: press(keys.take(bytes), now)
        case .chooser: break
        }
    }

    private func press(_ keys: [Key], _ now: UInt64) {
        drawn = 0  // a key's effect is shown at once
        for key in keys {
            if let machine = chooser.press(key) { return attach(machine) }
        }
    }

    // A machine's console.

    private func attach(_ machine: HostedMachine) {
        guard let channel, machine.process != nil else { return }
        machine.resize(rows: screen.rows, columns: screen.columns)
        channel.send(terminalReset)
        let title = " \(machine.id): \(keyName(chooser.leaveKey)) leaves this console "
        channel.send([UInt8]("\u{1b}[7m".utf8) + asciiBytes(title) + Array("\u{1b}[0m\r\n".utf8))
        for line in PlainText(machine.log.bytes).lines.suffix(screen.rows - 3) {
            channel.send(line + [0x0d, 0x0a])
        }
        mode = .attached(machine)
        machine.attach(self)
    }

    private func leave(_ now: UInt64) {
        if case .attached(let machine) = mode { machine.detach(self) }
        mode = .chooser
        channel?.send(terminalReset)
        screen.forget()
        keys = KeyReader()
        (drawn, deafUntil) = (0, now &+ Self.deafness)
    }

    func take(_ bytes: [UInt8]) { channel?.send(bytes) }

    func machineEnded(_ words: String) {
        mode = .ended
        channel?.send(Array("\r\n[\(words); any key: back to the list]".utf8))
    }

    // A terminal that hangs up, and comes back.

    private func lose(_ now: UInt64) {
        if case .attached(let machine) = mode { machine.detach(self) }
        mode = .chooser
        raw = nil
        channel = nil
        if isOnly { supervisor.end(.quit) }
        reopenAt = now &+ Self.reopening
    }

    private func reopen(_ now: UInt64) {
        if now < reopenAt { return }
        do throws(HostError) { try open() } catch { reopenAt = now &+ Self.reopening }
    }
}
