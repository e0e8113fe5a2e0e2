// `swiftlet run --gdb`: a run that gdb or lldb leads, from the guest's first instruction until it ends or they leave.
//
// The machine is any machine, its run loop the one of every run: a debugger only decides what follows a stop. Nothing of this is
// executed in a run without it. Read next: DebuggerAddress.swift.

import Host
import KVM
import VMM

public enum Debugger {
    /// Runs the guest until it ends. After a debugger that leaves it runs on by itself.
    public static func run(
        _ machine: Machine, _ channel: Channel, signals: borrowing StopSignals
    ) throws(MachineError) -> Outcome {
        let target = try Target(machine)
        let session = Session(target, channel)
        return target.run.finish(lead(target, session, signals))
    }

    /// How it ended.
    private static func lead(_ target: Target, _ session: Session, _ signals: borrowing StopSignals) -> Stop {
        while true {
            switch session.converse(signals) {
            case .resume(let how):
                let reason = target.resume(how, signals, watching: session.channel.descriptor)
                session.report(reason)
                if case .end(let stop) = reason { return stop }
            case .kill: return .signalled(9)  // SIGKILL, as a process's debugger does
            case .signalled(let signal):
                session.report(.end(.signalled(signal)))
                return .signalled(signal)
            case .detach, .lost: return runAlone(target, signals)
            }
        }
    }

    private static func runAlone(_ target: Target, _ signals: borrowing StopSignals) -> Stop {
        if case .crash(let crash) = target.reason { return .crashed(crash) }
        do throws(KVMError) { try target.release() } catch { return .failed(error) }
        return target.run.runAlone(signals)
    }
}

/// Who leads a run, if anybody does.
public enum Leader {
    /// gdb or lldb.
    case debugger(Channel)
    /// A narration, for people who watch.
    case narration(NarrationWish, Lectern)

    /// Runs the guest until it ends.
    public func run(_ machine: Machine, _ signals: borrowing StopSignals) throws(MachineError) -> Outcome {
        switch self {
        case .debugger(let channel): return try Debugger.run(machine, channel, signals: signals)
        case .narration(let wish, let lectern):
            let narrator = try Narrator(machine, wish, lectern)
            return narrator.target.run.finish(narrator.lead(signals))
        }
    }

    /// Whether a narration could start there: an address, or a symbol of the image.
    public static func isPlace(_ text: String, in machine: Machine) -> Bool {
        Narrator.address(text, machine.symbols) != nil
    }
}
