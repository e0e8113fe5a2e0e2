// `swiftlet run`: build a machine, run it, say how it ended.
//
// Exit statuses: the guest's own 0-255; 124 timeout, 125 Swiftlet's error, 126 the guest crashed, 128+n signal n.
// Read next: VMM/Machine.swift.

import Debugger
import Host
import Rig
import Snapshot
import VMM

enum RunCommand {
    /// Returns the exit status.
    static func main(_ arguments: some Sequence<String>, start: UInt64) -> Int32 {
        do throws(UsageError) {
            return run(try RunOptions(arguments), start: start)
        } catch {
            guard let message = error.message else { finish(help) }
            fail("run: \(message): try 'swiftlet run --help'")
        }
    }

    private static func run(_ options: RunOptions, start: UInt64) -> Int32 {
        do throws(MachineError) {
            return try runMachine(options, start: start)
        } catch {
            fail(error.message)
        }
    }

    private static func runMachine(_ options: RunOptions, start: UInt64) throws(MachineError) -> Int32 {
        if options.isSandboxed { options.configuration.closeInherited(options.statistics) }
        try options.configuration.checkLaterFiles(options.statistics)
        // Stop signals are blocked before any thread exists, and before the terminal changes.
        let signals = try blockStopSignals()
        var phases = Phases(start: start)
        var keyboard: Keyboard?
        let lectern = try options.openLectern()
        var console = options.guestConsole(lectern)
        let terminal = options.configuration.raw ? RawTerminal(console.input) : nil
        if terminal != nil {
            let keys = try openKeyboard(console.input)
            console = Console(input: keys.input)
            keyboard = consume keys
        }
        let machine = try Machine(options.configuration, console: console, phases: &phases)
        let empty = options.statistics == nil ? nil : emptyRun()  // now, for later it could not open /dev/kvm
        if options.statistics != nil { phases.pass(to: Clock.monotonic()) }
        let leader = try options.awaitLeader(lectern, machine, signals)
        let failures = FailureNote.open(options.configuration)
        if options.isSandboxed {
            try options.configuration.enterSandbox(
                statistics: options.statistics?.path, hasDevices: machine.mayHaveDevices)
            phases.end("sandbox", at: Clock.monotonic())
        }
        let outcome: Outcome
        if let leader {
            outcome = try leader.run(machine, signals)
        } else {
            outcome = try machine.runSaving(signals: signals, keyboard: keyboard.take(), failures: failures)
        }
        phases.end("run", at: Clock.monotonic())
        // Before anything is printed: the terminal is the user's again, and a stop signal ends this process.
        _ = consume terminal
        _ = consume signals
        var status = machine.concludeSaving(outcome)
        if let fd = descriptorFromEnvironment("SWIFTLET_PHASES") { machine.writePhases(phases, to: fd) }
        if let target = options.statistics {
            status = machine.writeStatistics(outcome, phases, emptyRun: empty, to: target, status: status)
        }
        // The kernel takes back what a process had, the VM too: to take the machine apart first would only cost time.
        withExtendedLifetime((machine, outcome)) { exitProcess(status) }
    }

    static var help: String {
        let rows = Option.all.map { option in
            let left = option.name + (option.value.map { " \($0)" } ?? "")
            return "  \(left)\(String(repeating: " ", count: max(1, 20 - left.count)))\(option.help)\n"
        }
        return """
            Run a guest kernel with its console on standard input and output.

            Usage: swiftlet run [OPTIONS] IMAGE [GUEST ARGS...]

            Everything after IMAGE is the guest's.

            \(rows.joined())
            Exit status: the guest's own (0-255); 124 timeout, 125 an error of swiftlet or its command line,
            126 the guest crashed, 128+n stopped by signal n (Ctrl-A x counts as SIGINT), 141 nobody reads the console.

            """
    }
}
