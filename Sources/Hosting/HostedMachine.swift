// A machine of the host: its definition, its process while it runs, what it has written, and how its last run ended.
//
// Console: a pseudo-terminal, the process's standard input and output. What Swiftlet itself says (errors, a crash's
// diagnosis) comes through a pipe of its own, so that no guest can speak in its name. Read next: MachineReport+Machine.swift.

import Host

/// Somebody who is shown a machine's console.
protocol ConsoleReader: AnyObject {
    func take(_ bytes: [UInt8])
    func machineEnded(_ words: String)
}

public final class HostedMachine {
    public let id: String
    private(set) var entry: CatalogueEntry
    /// What a catalogue that was read anew says of a machine that runs: it counts once it has ended.
    private var nextEntry: CatalogueEntry?
    /// It is no longer in the catalogue, and stays until it has ended.
    var isRemoved = false
    var state: MachineState
    private(set) var log: ConsoleLog
    private(set) var process: MachineProcess?
    private(set) var starts = 0
    var restarts = 0
    /// Since somebody started it, or it ran for a minute.
    var restartsInRow = 0
    /// Somebody wants it to run again when it has ended.
    var startsAgain = false
    private(set) var lastEnd: ChildEnd?
    /// What Swiftlet said of the last run, as lines of printable ASCII.
    private(set) var diagnosis: [[UInt8]] = []
    private(set) var exits: UInt64?
    private var readers: [any ConsoleReader] = []

    init(_ entry: CatalogueEntry, log: ConsoleLog) {
        (id, self.entry, self.log) = (entry.id, entry, log)
        state = entry.definition == nil ? .bad : .stopped
    }

    var definition: MachineDefinition? { entry.definition }
    var problem: String? { entry.problem }
    /// Why it could not be started, or would not start again when it has ended.
    var obstacle: String? {
        isRemoved ? "\(id) is no longer in the catalogue" : (nextEntry ?? entry).problem
    }
    /// Its next run is another than the one that is there.
    var isChanged: Bool { nextEntry != nil }

    /// The catalogue was read anew. Whether that changes it.
    func change(to new: CatalogueEntry) -> Bool {
        let isOther = new != nextEntry ?? entry || isRemoved
        isRemoved = false
        if state.isAlive {
            nextEntry = new == entry ? nil : new
            return isOther
        }
        entry = new
        if new.definition == nil { state = .bad } else if state == .bad { state = .stopped }
        return isOther
    }

    var name: String { definition?.name ?? id }

    func start(_ program: String) throws(HostError) {
        guard let definition else { return }
        process = try MachineProcess(program, definition)
        state = .running(since: Clock.monotonic())
        (lastEnd, diagnosis) = (nil, [])
        starts += 1
    }

    /// There is no process, and why.
    func failToStart(_ words: String) {
        state = .stopped
        diagnosis = [asciiBytes(words)]
        log.append(Array("[\(words)]\r\n".utf8))
    }

    /// Types on its console.
    func type(_ keys: [UInt8]) { process?.console.send(keys) }

    /// Its console's size is that of the terminal that was told last.
    func resize(rows: Int, columns: Int) {
        if let process { setTerminalSize(process.console.fd, rows: rows, columns: columns) }
    }

    func attach(_ reader: any ConsoleReader) { readers.append(reader) }
    func detach(_ reader: any ConsoleReader) { readers.removeAll { $0 === reader } }

    /// Takes what the process has written; at most so much at a time, for others want their turn.
    func pump() {
        guard process != nil else { return }
        process?.console.flush()
        show(process?.console.receive() ?? [])
        let words = process?.takeWords() ?? []
        // The pipe's lines end with \n alone; a terminal in raw mode wants both.
        if !words.isEmpty { show(Array(words.map { $0 == 0x0a ? [0x0d, 0x0a] : [$0] }.joined())) }
    }

    private func show(_ bytes: [UInt8]) {
        if bytes.isEmpty { return }
        log.append(bytes)
        for reader in readers { reader.take(bytes) }
    }

    /// Its process was reaped. `exits`: what its statistics say.
    func finish(_ end: ChildEnd, exits count: ([UInt8]) -> UInt64?) {
        // What it wrote last is still there; a pseudo-terminal holds no more than some KiB, a pipe 64.
        for _ in 0..<16 { pump() }
        lastEnd = end
        if let process {
            diagnosis = PlainText(process.words).lines.filter { !$0.isEmpty }
            if !process.statistics.isEmpty, let added = count(process.statistics) { exits = (exits ?? 0) &+ added }
        }
        process = nil
        entry = nextEntry ?? entry
        nextEntry = nil
        state = definition == nil ? .bad : .stopped
        let words = "\(id): \(end.words)"
        log.append(Array("\r\n[\(words)]\r\n".utf8))
        let gone = readers
        readers = []
        for reader in gone { reader.machineEnded(words) }
    }
}
