// `--gdb`: what it means to a run, and what it does not go with.
//
// Read next: ../Debugger/Debugger.swift, docs/gdb.md.

import Debugger
import Host
import VMM

extension Option {
    static let debugger = [
        Option(
            name: "--gdb", value: "WHERE",
            help:
                "wait for gdb or lldb before the first instruction: unix:PATH, tcp:PORT, or - for standard input and output"
        )
    ]
}

extension RunOptions {
    /// The time limit would run on while the guest stands still, and the others would see or save what a debugger has put into
    /// the guest.
    func checkDebugger() throws(UsageError) {
        guard debugger != nil else { return }
        for (option, isGiven) in [
            ("--snapshot", configuration.snapshot != nil), ("--timeout", configuration.timeout != nil),
            ("--raw", configuration.raw), ("--map-image", configuration.mapsImage),
        ] where isGiven { throw UsageError("--gdb does not go with \(option)") }
    }

    mutating func setDebugger(_ value: String) throws(UsageError) {
        debugger = try known(DebuggerAddress(value), "--gdb: \(DebuggerAddress.usage)")
        configuration.observation.statistics = true  // for `monitor exits`
    }

    /// Nil without `--gdb`. A stop signal that comes first ends the process.
    func awaitDebugger(_ signals: borrowing StopSignals) throws(MachineError) -> Channel? {
        guard let debugger else { return nil }
        do throws(HostError) {
            let isQuiet = configuration.quiet
            let channel = try Channel.open(debugger, signals) {
                if !isQuiet { writeText("swiftlet: \(printable($0))\n") }
            }
            if let channel { return channel }
            exitProcess(128 + (signals.take() ?? interruptSignal))
        } catch { throw .host(error) }
    }
}
