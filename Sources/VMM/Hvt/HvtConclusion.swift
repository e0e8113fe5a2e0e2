// The end of an hvt unikernel: the core of one that aborted, and the stock tender's last words.
//
// A unikernel aborts by halting with status 255; after a trap it also leaves where it stood. Read next: ../Looking/CoreDump.swift.

import GuestMemory
import Host
import KVM

extension Machine {
    /// Whether the unikernel halted with Solo5's status for an abort.
    package var hvtAborted: Bool { platform.hvt?.halt.withLock { $0?.status == 255 } ?? false }

    /// The core of a unikernel that aborted, if the user wants one.
    func writeHvtCore() {
        if let path = configuration.core, hvtAborted { writeCore(hvtAbort, path) }
    }

    /// Where it stood.
    private var hvtAbort: Crash {
        let trap = platform.hvt?.halt.withLock { $0?.trap }
        var registers = vcpu.loop.withLock { loop in
            var registers = GuestRegisters(loop.vcpu)
            if let root = loop.virtualRoot { registers.cr3 = root }
            return registers
        }
        if let trap {
            (registers.cr2, registers.general.rip, registers.cs) = (trap.0, trap.2, trap.3)
            (registers.general.rflags, registers.general.rsp, registers.ss) = (trap.4, trap.5, trap.6)
        }
        let code = GuestView(platform, root: registers.cr3).bytes(at: registers.rip, 16)
        return Crash(
            cause: .misuse("the unikernel aborted"), registers: registers, errorCode: trap?.1,
            registersAreLost: false, code: code)
    }

    /// As `conclude`, but as solo5-hvt does it: status 1 for every end that is not the unikernel's own.
    public func concludeAsHvt(_ outcome: Outcome) -> Int32 {
        let status: Int32
        switch outcome.stop {
        case .exited(let own): status = Int32(own)
        case .consoleGone: status = outcome.stop.exitStatus
        default: status = 1
        }
        if hvtAborted, let path = configuration.core { dumpCore(path) }
        let patience = outcome.stop.wasAskedFor ? lastWordPatience : nil
        if let loss = outcome.loss { say("Fatal error: \(loss)", patience: patience) }
        if let words = hvtWords(outcome.stop) { say(words, patience: patience) }
        return status
    }

    /// Scripts look for the first of these lines, and for the path at its end.
    private func dumpCore(_ path: String) {
        say("dumpcore: dumping guest core to: \(path)")
        do throws(HostError) {
            let size = try CoreDump(self, hvtAbort).write(to: path)
            say("dumpcore: dumped \(size >> 12) pages")
        } catch { say("dumpcore: error(s) dumping core, file may be incomplete: \(error.message)") }
    }

    private func say(_ words: String, patience: UInt64? = nil) {
        writeText("\(configuration.program): \(printable(words))\n", patience: patience)
    }

    private func hvtWords(_ stop: Stop) -> String? {
        switch stop {
        case .exited, .paused, .consoleGone: nil
        case .signalled(let signal): "Exiting on signal \(signal)"
        case .timedOut: "Exiting after the time limit"
        case .hostFailed(let part, let errno): fatal(part, errno)
        case .failed(let error): "KVM: \(MachineError.kvm(error).message)"
        case .crashed(let crash): hvtWords(crash)
        }
    }

    /// "Fatal error when writing: No space left on device", which scripts know; where to, stands behind it.
    private func fatal(_ part: String, _ errno: Int32) -> String {
        for verb in ["writing", "reading"] where part.hasPrefix("\(verb) ") {
            return "Fatal error when \(verb): \(errnoText(errno)): \(part)"
        }
        return "Fatal error: \(failure(part, errno))"
    }

    private func hvtWords(_ crash: Crash) -> String {
        let rip = "rip=\(hex(crash.registers.rip))"
        switch crash.cause {
        case .translationFault: return "KVM: host/guest translation fault: \(rip)"
        case .misuse(let what): return what
        case .invalidState(let reason): return "KVM: entry failure: hw_entry_failure_reason=\(hex(reason))"
        case .emulation(let suberror):
            return "KVM: internal error exit: suberror=\(hex(UInt64(suberror))): this host's KVM emulates ring 0 and "
                + "does not know the instruction at \(rip): \(crash.codeText)"
        default: return "KVM: unhandled exit: \(crash.headline(guest.layout)), \(rip)"
        }
    }
}
