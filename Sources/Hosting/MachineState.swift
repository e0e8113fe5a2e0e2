// Where a machine is between two runs, and what is reported of it: the same words on screens, sockets and in scripts.
//
// Read next: ConsoleLog.swift.

import Host

/// Times are of the monotonic clock, in nanoseconds.
enum MachineState: Equatable {
    case bad, stopped
    /// It starts by itself at that time, unless somebody presses a key.
    case countdown(until: UInt64)
    case running(since: UInt64)
    /// It was asked to end, and is killed at that time.
    case stopping(killAt: UInt64)
    /// It ended, and starts again at that time.
    case waiting(until: UInt64)

    /// As reports and metrics call it.
    static let names = ["bad", "stopped", "countdown", "running", "stopping", "waiting"]

    var name: String {
        switch self {
        case .bad: "bad"
        case .stopped: "stopped"
        case .countdown: "countdown"
        case .running: "running"
        case .stopping: "stopping"
        case .waiting: "waiting"
        }
    }

    /// Whether there is a process.
    var isAlive: Bool {
        switch self {
        case .running, .stopping: true
        default: false
        }
    }
}

extension ChildEnd {
    /// What the exit statuses of `swiftlet run` say.
    var words: String {
        switch self {
        case .exited(124): "time limit"
        case .exited(125): "error"
        case .exited(126): "crashed"
        case .exited(let status) where status > 128: "stopped by \(signalName(status - 128))"
        case .exited(let status): "exited with \(status)"
        case .killed(let signal): "killed by \(signalName(signal))"
        case .overtime: "killed"
        }
    }

    var isSuccess: Bool { self == .exited(0) }

    /// As a shell has it.
    var status: Int32 {
        switch self {
        case .exited(let status): status
        case .killed(let signal): 128 + signal
        case .overtime: 137
        }
    }
}

/// A machine as scripts see it. Names become snake_case in JSON.
public struct MachineReport: Codable, Equatable, Sendable {
    public var id: String
    public var name: String
    public var vendor: String
    public var description: String
    /// bad, stopped, countdown, running, stopping or waiting.
    public var state: String
    /// Why it is bad.
    public var problem: String?
    public var image: String?
    public var memoryBytes: UInt64?
    public var cpus: Int?
    public var identity: String?
    public var restart: String?
    public var autostartSeconds: Double?
    /// Of the running process.
    public var pid: Int32?
    public var uptimeSeconds: Double?
    public var residentBytes: UInt64?
    public var starts: Int?
    /// Those that the restart policy made.
    public var restarts: Int?
    /// How the last run ended: in words, and as a shell's status.
    public var end: String?
    public var endStatus: Int32?
    /// What Swiftlet said of the last run: a crash's diagnosis, an error.
    public var diagnosis: String?
    /// Of all runs that ended, where they are counted.
    public var exits: UInt64?
    /// "changed" or "removed": what the catalogue says now of a machine that still runs as it was.
    public var catalogue: String?
}
