// A run that is told to people: instructions one by one (`--step`), exits in sentences (`--explain`), both in slow motion.
//
// It leads the guest as a debugger does, by the same Target, and asks nobody but the clock and the lecturer's keys what comes
// next. While it writes the guest stands still. Read next: Stepping.swift.

import Host
import KVM
import Observe
import VMM

/// How the narration goes on.
enum Turn {
    case goOn
    /// At full speed, and nobody tells any more.
    case leave
    case end(Stop)
}

final class Narrator {
    let target: Target
    let wish: NarrationWish
    let narration: Narration
    let lectern: Lectern
    let symbols: SymbolTable
    /// Instructions so far.
    var count: UInt64 = 0
    var entries = HandlerEntries()
    /// Nobody reads standard error any more.
    private var isUnread = false

    init(_ machine: Machine, _ wish: NarrationWish, _ lectern: Lectern) throws(MachineError) {
        target = try Target(machine)
        (self.wish, self.lectern) = (wish, lectern)
        narration = machine.configuration.observation.narration ?? Narration()
        symbols = machine.symbols
    }

    /// How the run ended.
    func lead(_ signals: borrowing StopSignals) -> Stop {
        lectern.takeTerminal()
        target.run.beginNarration()
        if lectern.hasKeys { say(Pace.keys + "\n", signals) }
        let end = tell(signals)
        if case .end(let stop) = end {
            if narration.endsLine() { writeText("\n", patience: lastWordPatience) }
            lectern.leaveTerminal()
            return stop
        }
        return leave(signals, isSilent: true)
    }

    private func tell(_ signals: borrowing StopSignals) -> Turn {
        if wish.steps {
            if let turn = goToStart(signals) { return turn }
            say(InstructionLine.title, signals)
            narration.setStepping(true)
            while count < wish.limit ?? .max { if let turn = tellInstruction(signals) { return turn } }
            narration.setStepping(false)
            say("\(count) instruction\(count == 1 ? "" : "s"): the guest goes on at full speed\n", signals)
            target.removeBreakpoints()
        }
        if !tellsExits { return .end(leave(signals, isSilent: false)) }
        while true { if let turn = tellExits(signals) { return turn } }
    }

    /// Whether exits are told on standard error, by the vCPUs' threads.
    var tellsExits: Bool { target.run.machine.configuration.observation.trace == "-" }

    /// Lets the guest run until something happens, while exits are told; nil to go on with that.
    private func tellExits(_ signals: borrowing StopSignals) -> Turn? {
        let reason = target.resume(.go(Array(0..<target.vcpuCount)), signals, watching: lectern.keys)
        switch reason {
        case .interrupt:
            if let turn = takeKey() { return turn }
            return narration.isPaused ? rest(signals) : nil
        default: return told(reason, signals)
        }
    }

    /// To where the first line is to be.
    private func goToStart(_ signals: borrowing StopSignals) -> Turn? {
        guard let start = wish.start, let address = Self.address(start, symbols) else { return nil }
        if target.registers?.instructionPointer == address { return nil }
        let kinds = target.hasStubs ? [0, 1] : [1, 0]  // INT3, a debug register: what works everywhere first
        guard kinds.contains(where: { target.insert($0, address, 1) == true }) else {
            say("no breakpoint can be set at \(start): it is not mapped yet, or not memory\n", signals)
            return .end(leave(signals, isSilent: false))
        }
        defer { for kind in kinds { _ = target.remove(kind, address, 1) } }
        repeat {
            guard let turn = tellExits(signals) else { continue }
            if case .leave = turn { return turn }
            writeText("\(start) was not reached\n", patience: lastWordPatience)
            return turn
        } while target.registers?.instructionPointer != address
        return nil
    }

    /// A number, a symbol of the image, or "main+0x13", as lines have it.
    static func address(_ text: String, _ symbols: SymbolTable) -> UInt64? {
        if let place = number(text) ?? symbols.address(of: text) { return place }
        let parts = text.split(separator: "+").map(String.init)
        guard parts.count == 2, let start = symbols.address(of: parts[0]), let offset = number(parts[1]) else {
            return nil
        }
        return start &+ offset
    }

    private static func number(_ text: String) -> UInt64? {
        text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    }
}

/// Stops that are no instruction's.
extension Narrator {
    func told(_ reason: StopReason, _ signals: borrowing StopSignals) -> Turn? {
        switch reason {
        case .end(let stop): return .end(stop)
        case .crash(let crash):
            if tellsExits { target.run.tellLastExit(target.stopped) }
            tell("the guest crashes: \(target.headline(crash))", signals)
            return .end(.crashed(crash))
        case .trap: return .end(leaveAtTrap(signals))
        default: return nil
        }
    }

    /// An INT3 of the guest's own, which a debugger would show as its breakpoint: here it is what it is without us.
    private func leaveAtTrap(_ signals: borrowing StopSignals) -> Stop {
        tell("a breakpoint of the guest's own: it goes on by itself", signals)
        let next = target.registers?.instructionPointer ?? 0
        let isShort = target.read(next &- 1, 1) == [0xcc]  // INT3; else INT 3, in two bytes
        target.registers?.instructionPointer = next &- (isShort ? 1 : 2)
        return leave(signals, isSilent: false)
    }

    /// The guest goes on by itself to its end. Who is silent tells no exits either.
    private func leave(_ signals: borrowing StopSignals, isSilent: Bool) -> Stop {
        endOpenLine(signals)
        if isSilent { narration.fallSilent() }
        narration.dropPace()
        lectern.leaveTerminal()
        do throws(KVMError) { try target.release() } catch { return .failed(error) }
        return target.run.runAlone(signals)
    }
}

/// Time, keys, and standard error.
extension Narrator {
    /// Behind a line, while the guest stands still; nil to go on.
    func rest(_ signals: borrowing StopSignals) -> Turn? {
        if isUnread { return .leave }
        let start = Clock.monotonic()
        var time = narration.rest()
        while time != 0 {
            let left = time.map { $0 - min($0, Clock.monotonic() &- start) }
            if left == 0 { return nil }
            let (isPressed, isSignalled, _) = wait(
                for: WaitFor(lectern.keys), WaitFor(signals.fd), nanoseconds: left)
            if isSignalled, let signal = signals.take() { return .end(.signalled(signal)) }
            guard isPressed else { continue }
            if let turn = takeKey() { return turn }
            let wasStill = time == nil
            time = narration.rest()
            if wasStill, time != nil { return nil }
        }
        return nil
    }

    /// Nil for a key that only changes the pace.
    func takeKey() -> Turn? {
        switch lectern.key().flatMap({ narration.take($0) }) {
        case .leave?: .leave
        case .quit?: .end(.signalled(interruptSignal))
        case nil: nil
        }
    }

    /// Something that is no instruction.
    func tell(_ event: String, _ signals: borrowing StopSignals) {
        endOpenLine(signals)
        say("        => \(event)\n", signals)
    }

    func endOpenLine(_ signals: borrowing StopSignals) { if narration.endsLine() { say("\n", signals) } }

    /// Writes to standard error, unless a stop signal comes first: that is found where it is waited for.
    func say(_ text: String, _ signals: borrowing StopSignals) {
        let bytes = Array(text.utf8)
        let console = Console(input: -1, output: 2)
        var done = 0
        while done < bytes.count, !isUnread {
            let (_, isSignalled, _) = wait(
                for: WaitFor(console.output, write: true), WaitFor(signals.fd), nanoseconds: nil)
            if isSignalled { return }
            switch console.write(bytes, from: done) {
            case .done(let count): done += count
            case .interrupted, .notReady: break
            case .gone, .failed: isUnread = true
            }
        }
    }
}
