// All machines of the host: starts and stops them, starts them again as their policy says, and at the end stops them all.
//
// Who asks (a terminal, the control socket) gets an answer at once: nil, or why not. Read next: HostLoop.swift.

import Glibc
import Host

public final class Supervisor: Participant {
    public internal(set) var machines: [HostedMachine] = []
    /// The path of `swiftlet`.
    let program: String
    /// How many exits the JSON of `--stats` speaks of.
    private let countExits: ([UInt8]) -> UInt64?
    /// The catalogue as it is now, or why there is none.
    let readAnew: () -> Result<[CatalogueEntry], CatalogueProblem>
    /// A folder for what machines write.
    private let logs: String?
    private let signals: HostSignals
    /// Whether and how this server may be switched off.
    let power: ServerPower?
    public private(set) var ending: HostEnding?
    /// Changes with whatever a screen shows.
    var generation = 0

    static let patience: UInt64 = 10_000_000_000
    /// A run of that length is a success, whatever came before.
    static let settled: UInt64 = 60_000_000_000

    public init(
        _ entries: [CatalogueEntry], program: String, power: ServerPower?, logs: String?,
        countExits: @escaping ([UInt8]) -> UInt64?,
        readAnew: @escaping () -> Result<[CatalogueEntry], CatalogueProblem>
    ) throws(HostError) {
        (self.program, self.power, self.countExits) = (program, power, countExits)
        (self.readAnew, self.logs) = (readAnew, logs)
        signals = try HostSignals()
        for entry in entries { machines.append(try machine(entry)) }
        let now = Clock.monotonic()
        for machine in machines {
            if let delay = machine.definition?.autostart { machine.state = .countdown(until: now &+ delay) }
        }
    }

    func machine(_ entry: CatalogueEntry) throws(HostError) -> HostedMachine {
        let file = try logs.map { folder throws(HostError) in try LogFile("\(folder)/\(entry.id).log") }
        return HostedMachine(entry, log: ConsoleLog(file: file))
    }

    subscript(id: String) -> HostedMachine? { machines.first { $0.id == id } }

    /// Whether nothing is left to be done.
    var isOver: Bool { ending != nil && !machines.contains { $0.state.isAlive } }

    // What may be asked for. Each returns why not.

    func start(_ machine: HostedMachine) -> String? {
        if let why = machine.obstacle { return why }
        if machine.state.isAlive { return "\(machine.id) runs" }
        machine.restartsInRow = 0
        return launch(machine)
    }

    func stop(_ machine: HostedMachine) -> String? {
        generation += 1
        machine.startsAgain = false
        switch machine.state {
        case .running: terminate(machine)
        case .countdown, .waiting: machine.state = .stopped
        case .stopping: break
        case .stopped, .bad: return "\(machine.id) does not run"
        }
        return nil
    }

    func restart(_ machine: HostedMachine) -> String? {
        guard machine.state.isAlive else { return start(machine) }
        if let why = machine.obstacle ?? stop(machine) { return why }
        machine.startsAgain = true
        machine.restartsInRow = 0
        return nil
    }

    /// What has not begun to run stays so. Whether there was any.
    func cancelCountdowns() -> Bool {
        let counting = machines.filter { if case .countdown = $0.state { true } else { false } }
        for machine in counting { machine.state = .stopped }
        if !counting.isEmpty { generation += 1 }
        return !counting.isEmpty
    }

    func end(_ ending: HostEnding) {
        if self.ending == nil { self.ending = ending }
        for machine in machines where machine.state != .stopped && machine.state != .bad { _ = stop(machine) }
    }

    // What happens by itself.

    func wait(_ waits: inout Waits) {
        waits.add(signals.fd)
        for machine in machines {
            machine.process?.wait(&waits)
            switch machine.state {
            case .countdown(let time), .stopping(let time), .waiting(let time): waits.until(time)
            default: break
            }
        }
    }

    func proceed(_ waits: borrowing Waits, now: UInt64) {
        for machine in machines { machine.pump() }
        while let event = signals.take() {
            switch event {
            case .childEnded: reap()
            case .resized: break  // it has ended the wait, which is all: terminals look at their sizes
            case .end(let signal): endBySignal(signal)
            }
        }
        for machine in machines { keepTime(machine, now) }
    }

    private func keepTime(_ machine: HostedMachine, _ now: UInt64) {
        switch machine.state {
        case .countdown(let time) where now >= time: _ = launch(machine)
        case .waiting(let time) where now >= time:
            machine.restarts += 1
            machine.restartsInRow += 1
            // What fails to start has failed, and may be tried again.
            if launch(machine) != nil, ending == nil { applyPolicy(machine, .exited(125), lasted: 0) }
        case .stopping(let time) where now >= time:
            machine.process.map { sendSignal(SIGKILL, to: $0.pid) }
            machine.state = .stopping(killAt: now &+ Self.patience)
        default: break
        }
    }

    private func launch(_ machine: HostedMachine) -> String? {
        generation += 1
        if ending != nil { return "the host is ending" }
        do throws(HostError) {
            try machine.start(program)
            return nil
        } catch {
            machine.failToStart("cannot start \(machine.id): \(error.message)")
            return error.message
        }
    }

    private func terminate(_ machine: HostedMachine) {
        guard let process = machine.process else { return }
        sendSignal(SIGTERM, to: process.pid)
        machine.state = .stopping(killAt: Clock.monotonic() &+ Self.patience)
    }

    /// A second signal while machines end has them killed.
    private func endBySignal(_ signal: Int32) {
        if ending != nil {
            for machine in machines { machine.process.map { sendSignal(SIGKILL, to: $0.pid) } }
        }
        // Process 1 gets Ctrl-Alt-Del as SIGINT, and its end is the server's. Anybody else may be asked to end alone.
        guard case .kernel? = power else { return end(.quit) }
        end(signal == SIGINT ? .reboot : .powerOff)
    }

    private func reap() {
        while let (pid, end) = reapAny() {
            guard let machine = machines.first(where: { $0.process?.pid == pid }) else { continue }
            let (before, runs) = (machine.state, machine.startsAgain)
            generation += 1
            machine.finish(end, exits: countExits)
            machine.startsAgain = false
            if ending != nil || machine.state == .bad || machine.isRemoved { continue }
            if runs {
                _ = launch(machine)
            } else if case .running(let since) = before {
                applyPolicy(machine, end, lasted: Clock.monotonic() - since)
            }
        }
        machines.removeAll { $0.isRemoved && !$0.state.isAlive }
    }

    private func applyPolicy(_ machine: HostedMachine, _ end: ChildEnd, lasted: UInt64) {
        guard let policy = machine.definition?.restart else { return }
        if lasted >= Self.settled { machine.restartsInRow = 0 }
        let isWanted = policy.when == .always || policy.when == .onFailure && !end.isSuccess
        if isWanted, machine.restartsInRow < policy.limit {
            machine.state = .waiting(until: Clock.monotonic() &+ policy.delay)
        }
    }
}
