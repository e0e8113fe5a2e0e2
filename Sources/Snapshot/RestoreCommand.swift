// `swiftlet restore`: a machine from a snapshot's file, run as `swiftlet run` runs one.
//
// Part of the program `swiftlet`, because it is started as often as `run`: no argument parser. Read next:
// RestoreOptions.swift, docs/snapshots.md.

import CSnapshot
import Host
import VMM

public enum RestoreCommand {
    /// Returns the exit status. `emptyRun` measures, for `--stats`, what KVM_RUN needs for an exit of an empty guest.
    public static func main(
        _ arguments: Slice<Arguments>, start: UInt64, emptyRun: () -> UInt64? = { nil }
    ) -> Int32 {
        let options: RestoreOptions
        do throws(RestoreUsageError) { options = try RestoreOptions(arguments) } catch {
            guard let message = error.message else {
                return writeText(RestoreOptions.help, to: 1) ? 0 : Stop.errorStatus
            }
            return fail("restore: \(message): try 'swiftlet restore --help'")
        }
        do throws(SnapshotError) { return try run(options, start: start, emptyRun) } catch {
            return fail(error.message)
        }
    }

    private static func fail(_ message: String) -> Int32 {
        writeText("swiftlet: \(printable(message))\n")
        return Stop.errorStatus
    }

    private static func run(
        _ options: RestoreOptions, start: UInt64, _ emptyRun: () -> UInt64?
    ) throws(SnapshotError) -> Int32 {
        let statistics = options.statistics
        if options.isSandboxed { options.configuration.closeInherited(statistics, file: options.file) }
        try snapshotMachine(try options.configuration.checkLaterFiles(statistics))
        let signals = try snapshotMachine(try blockStopSignals())
        var phases = Phases(start: start)
        let snapshot = try Snapshot(options.file)
        try snapshot.refuseToBeOverwritten(options.configuration, statistics)
        if options.verifies { try snapshot.verify() }
        try snapshot.guardAgainstTruncation()
        phases.end("snapshot", at: Clock.monotonic())
        var keyboard: Keyboard?
        var console = Console()
        let terminal = options.configuration.raw ? RawTerminal(console.input) : nil
        if terminal != nil {
            let keys = try snapshotMachine(try openKeyboard(console.input))
            console = Console(input: keys.input)
            keyboard = consume keys
        }
        let machine = try Machine(restoring: snapshot, options.configuration, console: console, phases: &phases)
        let empty = statistics == nil ? nil : emptyRun()  // now, for later it could not open /dev/kvm
        if statistics != nil { phases.pass(to: Clock.monotonic()) }
        let failures = FailureNote.open(options.configuration)
        if options.isSandboxed {
            // A crash report opens the image that the snapshot names, for its symbols.
            try snapshotMachine(
                try options.configuration.enterSandbox(statistics: statistics?.path, reading: snapshot.image))
            phases.end("sandbox", at: Clock.monotonic())
        }
        let outcome = try snapshotMachine(
            try machine.runSaving(signals: signals, keyboard: keyboard.take(), failures: failures))
        phases.end("run", at: Clock.monotonic())
        _ = consume terminal
        _ = consume signals
        try snapshot.explain(outcome)
        var status = machine.concludeSaving(outcome)
        if let fd = descriptorFromEnvironment("SWIFTLET_PHASES") { machine.writePhases(phases, to: fd) }
        if let target = statistics {
            status = machine.writeStatistics(outcome, phases, emptyRun: empty, to: target, status: status)
        }
        withExtendedLifetime((machine, outcome)) { exitProcess(status) }
    }
}

extension Snapshot {
    /// Has a file that becomes shorter while it is mapped end this process with words, wherever that is noticed.
    public func guardAgainstTruncation() throws(SnapshotError) {
        let result = unsafe path.withCString { unsafe csnapshot_guard($0) }
        if result < 0 { throw .host(HostError("sigaction", "", errno: Int32(-result))) }
    }

    /// KVM answers EFAULT where a page of the file is gone, which then is not the guest's fault.
    func explain(_ outcome: Outcome) throws(SnapshotError) {
        guard case .crashed(let crash) = outcome.stop, case .unexpectedExit = crash.cause else { return }
        let size = try snapshotIO(try file.size())
        if size < fileSize { throw .truncated(path, size: size, needed: fileSize) }
        try parent?.snapshot.explain(outcome)
    }
}
