// Why a machine stopped: the one value in which every run ends, and the exit status that it means.
//
// A guest's misbehaviour is such a value, never a throw or a trap. Read next: Crash.swift.

import KVM

/// How a run ended.
public enum Stop: Sendable {
    /// It can go on: somebody wants a look at it (a snapshot), who also decides whether it does.
    case paused(byGuest: Bool)
    /// The guest made the exit call.
    case exited(status: UInt8)
    /// `--timeout` passed.
    case timedOut
    /// SIGINT, SIGTERM, SIGHUP, SIGQUIT, or Ctrl-A x (as SIGINT).
    case signalled(Int32)
    /// Nobody reads the console any more.
    case consoleGone
    /// The host failed a call of the guest's: which part of the host, and why.
    case hostFailed(String, errno: Int32)
    /// The guest did what no guest may do.
    indirect case crashed(Crash)
    /// KVM refused to run the guest.
    case failed(KVMError)

    /// The end of a machine whose memory is in a file that somebody cut short.
    static let memoryLost = Stop.hostFailed(
        "the file that holds guest memory, cut short while the guest ran,", errno: 5)  // EIO

    public static let timeoutStatus: Int32 = 124
    public static let errorStatus: Int32 = 125
    public static let crashStatus: Int32 = 126

    /// The exit status of `swiftlet run`.
    public var exitStatus: Int32 {
        switch self {
        case .paused: 0
        case .exited(let status): Int32(status)
        case .timedOut: Self.timeoutStatus
        case .signalled(let signal): 128 + signal
        case .consoleGone: 128 + 13  // SIGPIPE, as the shell reports it
        case .hostFailed, .failed: Self.errorStatus
        case .crashed: Self.crashStatus
        }
    }

    /// Whether somebody is waiting for the end: a signal's sender, or whoever set the time limit.
    public var wasAskedFor: Bool {
        switch self {
        case .timedOut, .signalled: true
        default: false
        }
    }

    /// A word for scripts, in `--stats=json`.
    public var kind: String {
        switch self {
        case .paused: "snapshot"
        case .exited: "exit"
        case .timedOut: "timeout"
        case .signalled: "signal"
        case .consoleGone: "console-gone"
        case .hostFailed, .failed: "error"
        case .crashed: "crash"
        }
    }
}
