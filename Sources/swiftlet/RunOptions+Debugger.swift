// `--gdb`, and `--step` and `--slow`: what they mean to a run, and what they do not go with.
//
// Read next: ../Debugger/Debugger.swift, ../Debugger/Narration/Narrator.swift, docs/gdb.md, docs/step.md.

import Debugger
import Host
import Observe
import VMM

extension Option {
    static let debugger = [
        Option(
            name: "--gdb", value: "WHERE",
            help:
                "wait for gdb or lldb before the first instruction: unix:PATH, tcp:PORT, or - for standard input and output"
        ),
        Option(
            name: "--step", value: nil,
            help:
                "show each instruction and what it changed, on standard error; --step=N: N of them. Not with --cpus, --timeout, "
                + "--snapshot, --raw, --gdb"),
        Option(
            name: "--step-from", value: "WHERE", help: "with --step: from a symbol or an address on, not from the entry"
        ),
        Option(
            name: "--slow", value: "MS",
            help:
                "with --step or --explain: rest so many ms (up to 60000) at each line, 0 until a key; at a terminal Space, Enter, "
                + "+, -, g and q lead it"),
    ]
}

extension RunOptions {
    /// The time limit would run on while the guest stands still, and the others would see or save what a debugger has put into
    /// the guest.
    mutating func checkDebugger() throws(UsageError) {
        guard debugger != nil || narration.isThere, let name = debugger != nil ? "--gdb" : narration.option else {
            return
        }
        for (option, isGiven) in [
            ("--snapshot", configuration.snapshot != nil), ("--timeout", configuration.timeout != nil),
            ("--raw", configuration.raw), ("--map-image", configuration.mapsImage),
            (narration.option ?? "", debugger != nil && narration.isThere),
        ] where isGiven { throw UsageError("\(name) does not go with \(option)") }
        if narration.isThere { try checkNarration() }
    }

    private mutating func checkNarration() throws(UsageError) {
        let tellsExits = configuration.observation.trace == "-"
        if narration.start != nil, !narration.steps { throw UsageError("--step-from needs --step") }
        if narration.pause != nil, !narration.steps, !tellsExits {
            throw UsageError("--slow needs --step, or --explain on standard error")
        }
        if narration.pause == 0, !isTerminal(2) {
            throw UsageError("--slow 0 waits for keys: standard error must be a terminal; or give it milliseconds")
        }
        if narration.steps, configuration.cpus > 1 {
            throw UsageError("--step shows one vCPU: leave --cpus out, or use --gdb, which has each as a thread")
        }
        configuration.observation.narration = Narration(narration.pause.map { Pace(milliseconds: $0) })
    }

    mutating func setDebugger(_ name: String, _ value: String?) throws(UsageError) {
        switch name {
        case "--step":
            narration.steps = true
            if let value {
                narration.limit = try known(
                    UInt64(value).flatMap { $0 > 0 ? $0 : nil }, "--step=\(value): a number of instructions, from 1")
            }
        case "--step-from": narration.start = value
        case "--slow":
            narration.pause = try known(
                value.flatMap { UInt64($0) }.flatMap { Pace.range.contains($0) ? $0 : nil },
                "--slow '\(value ?? "")': milliseconds, up to \(Pace.range.upperBound)")
        default:
            debugger = try known(DebuggerAddress(value ?? ""), "--gdb: \(DebuggerAddress.usage)")
            configuration.observation.statistics = true  // for `monitor exits`
        }
    }

    /// The terminal of a slow motion; nil without a narration.
    func openLectern() throws(MachineError) -> Lectern? {
        guard narration.isThere else { return nil }
        do throws(HostError) {
            return try Lectern(hasKeys: narration.pause != nil, needsKeys: narration.pause == 0)
        } catch { throw .host(error) }
    }

    /// Where standard input and output are a debugger's or a lecturer's the guest's are others.
    func guestConsole(_ lectern: Lectern?) -> Console {
        lectern?.guestConsole ?? debugger.map { Channel.guestConsole($0) } ?? Console()
    }

    /// Who leads the run; nil for nobody. A stop signal that comes before a debugger does ends the process.
    func awaitLeader(
        _ lectern: Lectern?, _ machine: Machine, _ signals: borrowing StopSignals
    ) throws(MachineError) -> Leader? {
        if let lectern {
            if let start = narration.start, !Leader.isPlace(start, in: machine) {
                fail("--step-from \(start): no such symbol in the image, nor an address such as 0x40000 or main+0x13")
            }
            return .narration(narration, lectern)
        }
        guard let debugger else { return nil }
        do throws(HostError) {
            let isQuiet = configuration.quiet
            let channel = try Channel.open(debugger, signals) {
                if !isQuiet { writeText("swiftlet: \(printable($0))\n") }
            }
            if let channel { return .debugger(channel) }
            exitProcess(128 + (signals.take() ?? interruptSignal))
        } catch { throw .host(error) }
    }
}

extension NarrationWish {
    /// One that was given.
    fileprivate var option: String? { steps ? "--step" : start != nil ? "--step-from" : pause != nil ? "--slow" : nil }
}
