// After the run: one line for the operator where there is something to say, the core file, the exit status.
//
// Read next: CrashReport.swift, Looking/CoreDump.swift, StatisticsReport.swift.

import Glibc
import Host

extension Machine {
    /// Says how the machine ended, writes the core of a crash, and returns the exit status.
    public func conclude(_ outcome: Outcome) -> Int32 {
        if let loss = outcome.loss { say(loss, briefly: outcome.stop.wasAskedFor) }
        writeHvtCore()
        switch outcome.stop {
        case .exited, .paused: break
        case .timedOut: say("the guest did not exit within the --timeout and was stopped", briefly: true)
        case .signalled(let signal): say("stopped by \(signalName(signal))", briefly: true)
        case .consoleGone: say("nobody reads the guest's console any more (EPIPE): stopped")
        case .hostFailed(let part, let errno): say(failure(part, errno))
        case .failed(let error): say(MachineError.kvm(error).message)
        case .crashed(let crash):
            say(report(crash))
            if let path = configuration.core { writeCore(crash, path) }
        }
        finishObservation(outcome.stop)
        return outcome.stop.exitStatus
    }

    /// After a stop that was asked for nobody waits for a standard error that is stuck.
    private func say(_ text: String, briefly: Bool = false) {
        let lines = text.split(separator: "\n").map { printable($0) }.joined(separator: "\n")
        writeText("swiftlet: \(lines)\n", patience: briefly ? lastWordPatience : nil)
    }

    func writeCore(_ crash: Crash, _ path: String) {
        do throws(HostError) {
            let size = try CoreDump(self, crash).write(to: path)
            let symbols = guest.bias == 0 ? "" : " -ex 'add-symbol-file \(configuration.image) -o \(hex(guest.bias))'"
            let opens = "gdb \(guest.bias == 0 ? configuration.image : "-c") \(path)\(symbols)"
            say("core written to \(path) (\(size >> 10) KiB of it not zero): \(opens)")
        } catch { say("no core: \(HostError(error.call, path, errno: error.errno).message)") }
    }
}

/// A part of the host that failed, and what helps.
func failure(_ part: String, _ errno: Int32) -> String {
    "\(part) failed: \(errnoText(errno))" + (errno == EMFILE ? ": raise the limit (ulimit -n)" : "")
}

/// How long the last word after a stop waits for room, in nanoseconds.
public let lastWordPatience: UInt64 = 200_000_000

/// Blocks the stop signals of this process; before any thread is made.
public func blockStopSignals() throws(MachineError) -> StopSignals { try fromHost(try StopSignals()) }

/// The keyboard of `--raw`.
public func openKeyboard(_ terminal: Int32) throws(MachineError) -> Keyboard {
    try fromHost(try Keyboard(terminal: terminal))
}

/// Makes or empties a file.
public func openForWriting(_ path: String) throws(MachineError) -> File { try fromHost(try File(path, .create)) }
