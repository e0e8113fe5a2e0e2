// The process of a running machine, `swiftlet run`: the leader of a session whose terminal is the machine's console.
//
// When this process ends, however that comes, the terminal hangs up, and SIGHUP ends the machine: none is left behind.
// Read next: HostedMachine.swift.

import Host

final class MachineProcess {
    let pid: Int32
    let console: Channel
    private let errors: Channel
    private let counts: Channel?
    /// What Swiftlet said, the first and the last of it.
    private(set) var words: [UInt8] = []
    /// JSON of `--stats`, once the machine has ended.
    private(set) var statistics: [UInt8] = []
    private static let longestWords = 16 << 10
    private static let longestStatistics = 4 << 20

    init(_ program: String, _ definition: MachineDefinition) throws(HostError) {
        let terminal = try PseudoTerminal(isRaw: definition.hasRawConsole)
        setTerminalSize(terminal.fd, rows: 24, columns: 80)
        let errors = try OutputPipe()
        let counts = try OutputPipe()
        let line = terminal.path
        pid = try spawn(
            program, definition.command, (.terminal(line), .terminal(line), .descriptor(errors.writer.fd)),
            third: definition.isCounted ? counts.writer.fd : nil)
        console = Channel(terminal.takeMaster(), limit: 4 << 10)
        self.errors = Channel(errors.takeReader())
        self.counts = definition.isCounted ? Channel(counts.takeReader()) : nil
    }

    func wait(_ waits: inout Waits) {
        console.wait(&waits)
        errors.wait(&waits)
        counts?.wait(&waits)
    }

    /// What Swiftlet has said since.
    func takeWords() -> [UInt8] {
        let new = errors.receive()
        words += new
        if words.count > Self.longestWords {
            words = words.prefix(Self.longestWords / 2) + words.suffix(Self.longestWords / 2)
        }
        let more = counts?.receive(atMost: 1 << 16) ?? []
        if statistics.count < Self.longestStatistics { statistics += more }
        return new
    }
}
