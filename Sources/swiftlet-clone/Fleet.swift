// The main thread while guests run: it starts them, moves what they write, notices their ends, and stops them all.
//
// A guest has ended when its console is closed, in whatever process it ran. Read next: LineBuffer.swift, Outlet.swift.

import Host
import Subcommand
import VMM

struct Fleet: ~Copyable {
    private let plan: Plan
    private let crew: any Crew
    private var outlet: Outlet
    private let signals: StopSignals
    private let events: EventSet
    private let isQuiet: Bool
    private let start = Clock.monotonic()
    private var progress: Progress
    /// The ends that we read of consoles that are open.
    private var consoles: [Int: Reader] = [:]
    private var next = 0
    private var stop: Stop?
    private var stopDeadline: UInt64 = .max
    private(set) var lives: [Life] = []
    private(set) var nanoseconds: UInt64 = 0
    private var told = 0

    /// Why it ends before its guests do.
    enum Stop: Equatable {
        case signal(Int32)
        case outputGone
        case failed(String)

        var status: Int32 {
            switch self {
            case .signal(let signal): 128 + signal
            case .outputGone: 141
            case .failed: VMM.Stop.errorStatus
            }
        }
    }

    private static let firstID: UInt64 = 16
    private static let signalID: UInt64 = 1
    /// What guests that were asked to end have time for.
    private static let grace: UInt64 = 3_000_000_000
    /// Lines about guests that ended badly; the summary counts them all.
    private static let mostWords = 20

    init(
        _ plan: Plan, _ crew: any Crew, _ outlet: consuming Outlet, isQuiet: Bool, _ signals: consuming StopSignals
    ) throws(SubcommandError) {
        let events = try Self.watching(signals.fd)
        (self.plan, self.crew, self.isQuiet) = (plan, crew, isQuiet)
        progress = Progress(isWanted: !isQuiet)
        self.outlet = outlet
        self.signals = signals
        self.events = events
    }

    private static func watching(_ signals: Int32) throws(SubcommandError) -> EventSet {
        do throws(HostError) {
            let events = try EventSet()
            try events.watch(signals, id: signalID, once: false)
            return events
        } catch { throw SubcommandError("clone: \(error.message)") }
    }

    /// Runs all of them; why not, if something came between.
    mutating func run() -> Stop? {
        while !consoles.isEmpty || (next < plan.count && stop == nil) {
            let canStart = stop == nil && next < plan.count && consoles.count < plan.atOnce
            if canStart { startNext() }
            let pause: Int32 = canStart ? 0 : stop == nil ? 200 : 10
            if let id = events.next(milliseconds: pause) { handle(id) }
            if stop != nil {
                let isOverdue = Clock.monotonic() > stopDeadline
                crew.stop(atOnce: isOverdue)
                if isOverdue, !plan.inProcesses { break }  // threads end with us
            }
            progress.tell(ended: lives.count, running: consoles.count, of: plan.count)
        }
        progress.finish()
        nanoseconds = Clock.monotonic() - start
        switch stop {
        case .signal(let signal): tell("stopped by \(signalName(signal))")
        case .outputGone: tell("nobody reads standard output any more (EPIPE): stopped")
        case .failed(let reason): tell(reason)
        case nil: break
        }
        return stop
    }

    private mutating func startNext() {
        let index = next
        do throws(HostError) {
            let ends = try pipeEnds()
            let reader = Reader(ends.reader)
            let writer = File(owning: ends.writer)
            try events.watch(reader.fd, id: Self.firstID + UInt64(index), once: false)
            do throws(Outlet.Problem) { try outlet.open(index) } catch { return end(error) }
            do throws(SubcommandError) { try crew.start(index, output: writer) } catch {
                return end(because: .failed(error.message))
            }
            consoles[index] = reader
            next += 1
        } catch { end(because: .failed("clone: \(error.message)")) }
    }

    private mutating func handle(_ id: UInt64) {
        guard id >= Self.firstID else {
            if let signal = signals.take() { end(because: .signal(signal)) }
            return
        }
        let index = Int(id - Self.firstID)
        guard let console = consoles[index], let bytes = readAvailable(console.fd, 1 << 16) else { return }
        do throws(Outlet.Problem) {
            progress.finish()
            if !bytes.isEmpty { return try outlet.write(index, bytes, signals: signals.fd) }
            finish(index, console)
            try outlet.close(index, signals: signals.fd)
        } catch { end(error) }
    }

    private mutating func finish(_ index: Int, _ console: Reader) {
        events.forget(console.fd)
        consoles[index] = nil
        let life = crew.end(of: index)
        lives.append(life)
        guard stop == nil, !isQuiet, let message = life.message else { return }
        told += 1
        if told <= Self.mostWords { tell("guest \(index): \(message)") }
        if told == Self.mostWords { tell("more that end badly are only counted") }
    }

    private mutating func end(_ problem: Outlet.Problem) {
        switch problem {
        case .gone: end(because: .outputGone)
        case .failed(let reason): end(because: .failed("clone: \(reason)"))
        case .interrupted: if let signal = signals.take() { end(because: .signal(signal)) }
        }
    }

    private mutating func end(because reason: Stop) {
        if stop == nil {
            (stop, stopDeadline) = (reason, Clock.monotonic() + Self.grace)
            outlet.isInHurry = true
        } else if case .signal = reason {
            stopDeadline = 0  // the second one: no patience
        }
    }

    mutating func tell(_ text: String) {
        progress.finish()
        for line in text.split(separator: "\n") {
            writeText("swiftlet: \(printable(line))\n", patience: lastWordPatience)
        }
    }
}

/// A descriptor that a dictionary can own.
private final class Reader {
    private let file: File
    var fd: Int32 { file.fd }
    init(_ fd: Int32) { file = File(owning: fd) }
}
