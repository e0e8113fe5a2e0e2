// Starting a program with posix_spawn(3): which descriptors it gets, default signals, a session of its own if asked for.
//
// For benchmarks, tests and `host`; `run` starts nothing. Its own small wrapper, because tests need what higher ones hide: closed
// descriptors, a controlling terminal, the raw wait status; and because it must link statically.
// Read next: ChildProcess.swift.

import Glibc

/// What becomes of one of the program's descriptors 0, 1, 2.
public enum Wire: Sendable {
    /// The same as ours.
    case inherited
    case closed
    case descriptor(Int32)
    /// Opened in a new session, whose controlling terminal it becomes.
    case terminal(String)
}

/// The environment of every program that is started here, unless more is given: nothing is inherited.
private let environment = ["PATH=/usr/bin:/bin", "HOME=/", "TERM=dumb", "SWIFT_BACKTRACE=enable=no"]

/// Starts `program`, a path, with the arguments after its name and these variables ("NAME=value"); returns its process id.
/// `third` becomes its descriptor 3.
public func spawn(
    _ program: String, _ arguments: [String], _ wires: (Wire, Wire, Wire), third: Int32? = nil,
    variables: [String] = []
) throws(HostError) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    var ownSession = false
    for (target, wire) in [(0, wires.0), (1, wires.1), (2, wires.2)] as [(Int32, Wire)] {
        switch wire {
        case .inherited: break
        case .closed: unsafe posix_spawn_file_actions_addclose(&actions, target)
        case .descriptor(let fd): unsafe posix_spawn_file_actions_adddup2(&actions, fd, target)
        case .terminal(let path):
            unsafe posix_spawn_file_actions_addopen(&actions, target, path, O_RDWR, 0)
            ownSession = true
        }
    }
    if let third { unsafe posix_spawn_file_actions_adddup2(&actions, third, 3) }
    var attributes = defaultSignals(ownSession: ownSession)
    defer { unsafe posix_spawnattr_destroy(&attributes) }

    var pid: pid_t = 0
    let failure = unsafe withCStrings([program] + arguments) { arguments in
        unsafe withCStrings(environment + variables) { environment in
            unsafe posix_spawn(&pid, program, &actions, &attributes, arguments, environment)
        }
    }
    if failure != 0 { throw HostError("posix_spawn", program, errno: failure) }
    return pid
}

/// POSIX_SPAWN_SETSID of glibc's <spawn.h>, which Swift sees only without it.
private let ownSessionFlag: Int32 = 0x80

/// No signal blocked or ignored, whatever the caller did with its own.
private func defaultSignals(ownSession: Bool) -> posix_spawnattr_t {
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    let session = ownSession ? ownSessionFlag : 0
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | session))
    return attributes
}

/// `argv` as C wants it; the strings live while `body` runs.
private func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = unsafe strings.map { unsafe strdup($0) }
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe body(copies + [nil])
}
