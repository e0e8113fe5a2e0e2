// The signals that stop a machine, read from a descriptor instead of delivered: SIGINT, SIGTERM, SIGHUP, SIGQUIT, and
// those that end a program less often (SIGUSR2, SIGALRM, SIGXCPU), so that the terminal is put back after them too.
//
// Blocked before any thread is made, so that all threads inherit the mask and only the main thread sees them.
// Read next: Wait.swift.

import CHost
import Glibc

/// An owned signalfd(2). Making one also has SIGPIPE ignored: EPIPE is an error like any other.
public struct StopSignals: ~Copyable {
    public let fd: Int32

    public init() throws(HostError) {
        let result = chost_open_stop_signals()
        if result < 0 { throw HostError("signalfd", "", errno: Int32(-result)) }
        fd = Int32(result)
    }

    /// From here a stop signal ends the process, so that nothing it still does can make it unstoppable.
    deinit {
        close(fd)
        chost_release_stop_signals()
    }

    /// The signal that arrived, or nil.
    public func take() -> Int32? {
        let signal = chost_read_signal(fd)
        return signal == 0 ? nil : signal
    }
}

/// The signal's name as in signal(7).
public func signalName(_ signal: Int32) -> String {
    switch signal {
    case SIGHUP: "SIGHUP"
    case SIGINT: "SIGINT"
    case SIGQUIT: "SIGQUIT"
    case SIGPIPE: "SIGPIPE"
    case SIGTERM: "SIGTERM"
    case SIGUSR2: "SIGUSR2"
    case SIGALRM: "SIGALRM"
    case SIGXCPU: "SIGXCPU"
    default: "signal \(signal)"
    }
}

/// What asks a machine that was given a snapshot's name to write one; it stops any other.
public let snapshotSignal = SIGUSR2
public func ignoreSnapshotSignal() { signal(snapshotSignal, SIG_IGN) }

/// A file that becomes larger than `ulimit -f` allows is an error of write(2), not our end.
public func ignoreFileSizeSignal() { signal(SIGXFSZ, SIG_IGN) }

/// What Ctrl-C sends, and what Ctrl-A x counts as.
public let interruptSignal = SIGINT
