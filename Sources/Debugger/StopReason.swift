// Why the guest stands still, and how a debugger is told: signals are what it knows.
//
// GDB manual, E.3, stop reply packets. Read next: MonitorCommands.swift.

import KVM
import VMM
import X86

enum StopReason {
    /// Before its first instruction.
    case start
    case step
    /// A breakpoint of the debugger's, in memory or in a debug register.
    case breakpoint(isSoftware: Bool)
    /// Memory was written, or (`isAccess`) read or written.
    case watchpoint(UInt64, isAccess: Bool)
    /// Ctrl-C.
    case interrupt
    /// An INT3 or a step flag of its own.
    case trap
    /// It did what no guest may do: it cannot go on.
    case crash(Crash)
    /// It is over.
    case end(Stop)

    /// The packet, for a debugger that has said whether it knows `swbreak`; `thread` is the number of the vCPU.
    func packet(knowsBreakpoints: Bool, thread number: String) -> String {
        let thread = "thread:\(number);"
        switch self {
        case .start, .step, .trap: return "T05" + thread
        case .breakpoint(let isSoftware):
            return "T05" + (knowsBreakpoints ? isSoftware ? "swbreak:;" : "hwbreak:;" : "") + thread
        case .watchpoint(let address, let isAccess):
            return "T05\(isAccess ? "awatch" : "watch"):\(String(address, radix: 16));" + thread
        case .interrupt: return "T02" + thread
        case .crash(let crash): return "T" + hexDigits(crash.signal) + thread
        case .end(.exited(let status)): return "W" + hexDigits(status)
        case .end(.signalled(let signal)): return "X" + hexDigits(UInt8(clamping: signal))
        case .end(.timedOut): return "X0f"
        case .end(.crashed(let crash)): return "X" + hexDigits(crash.signal)
        case .end: return "X06"
        }
    }
}

extension Crash {
    /// What Linux would send a process for it (signal(7)).
    fileprivate var signal: UInt8 {
        guard case .exception(let vector) = cause else { return 11 }  // SIGSEGV
        switch vector {
        case 0, 16, 19: return 8  // SIGFPE
        case 6: return 4  // SIGILL
        case 17: return 7  // SIGBUS
        default: return 11
        }
    }
}
