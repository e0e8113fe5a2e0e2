// What comes to `host` as signals, read from a descriptor: an end that is asked for, a child's end, a terminal's new size.
//
// As process 1 it is everybody's parent in the end: all children are reaped, known or not. Read next: ProcessFigures.swift.

import CHost
import Glibc

public struct HostSignals: ~Copyable, Sendable {
    private let file: File
    public var fd: Int32 { file.fd }

    /// Blocks them in this thread and all that it makes.
    public init() throws(HostError) {
        let result = chost_open_host_signals()
        if result < 0 { throw HostError("signalfd", "", errno: Int32(-result)) }
        file = File(owning: Int32(result))
    }

    public enum Event: Equatable, Sendable {
        case childEnded, resized
        case end(signal: Int32)
    }

    public func take() -> Event? {
        switch chost_read_signal(fd) {
        case 0: nil
        case SIGCHLD: .childEnded
        case SIGWINCH: .resized
        case let signal: .end(signal: signal)
        }
    }
}

/// A child that has ended, reaped; nil when there is none.
public func reapAny() -> (pid: Int32, end: ChildEnd)? {
    var status: Int32 = 0
    let pid = unsafe waitpid(-1, &status, WNOHANG)
    if pid <= 0 { return nil }
    // wait(2): the low seven bits are the signal that killed it, the next byte is the exit status.
    return (pid, status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f))
}

/// Switches the server off, or on again: reboot(2). Returns only on failure: why.
public func endServer(again: Bool) -> String { errnoText(Int32(-chost_end_server(again ? 1 : 0))) }

/// As process 1: Ctrl-Alt-Del becomes SIGINT, so that machines are stopped before the server is.
public func takeCtrlAltDel() { chost_keep_ctrl_alt_del() }

/// Our own process id. 1 is the first program of a server, or of a namespace.
public var ownProcess: Int32 { getpid() }
