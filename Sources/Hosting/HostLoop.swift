// The one thread that all of `host` is: it waits for everybody's descriptors at once, then everybody goes on as far as it goes.
//
// Nothing here ever blocks on one of them, so a terminal that nobody reads and a client that says nothing hold up nobody.
// Read next: Screen.swift.

import Host

/// What the next wait is for, and what came of it.
struct Waits {
    private var set = WaitSet()
    private var descriptors: [Int32] = []
    private var ready: Set<Int32> = []
    private var deadline = UInt64.max

    mutating func add(_ fd: Int32, write: Bool = false) {
        set.add(WaitFor(fd, write: write))
        descriptors.append(fd)
    }

    /// Of the monotonic clock, in nanoseconds.
    mutating func until(_ time: UInt64) { deadline = min(deadline, time) }

    /// Whether it is readable, writable, hung up or in error.
    func isReady(_ fd: Int32) -> Bool { ready.contains(fd) }

    mutating func wait() {
        let now = Clock.monotonic()
        let limit = deadline == .max ? nil : deadline - min(deadline, now)
        let isAny = set.wait(nanoseconds: limit)
        ready = isAny ? Set(descriptors.indices.filter { set.isReady($0) }.map { descriptors[$0] }) : []
    }
}

protocol Participant: AnyObject {
    /// Adds what it waits for.
    func wait(_ waits: inout Waits)
    /// Goes on, without waiting.
    func proceed(_ waits: borrowing Waits, now: UInt64)
}

public final class HostLoop {
    private let supervisor: Supervisor
    private var participants: [any Participant] = []

    public init(_ supervisor: Supervisor) {
        self.supervisor = supervisor
        participants = [supervisor]
    }

    public func add(_ server: ControlServer) { participants.append(server) }
    public func add(_ facts: HostFacts) { participants.append(facts) }
    public func add(_ server: MetricsServer) { participants.append(server) }
    public func add(_ terminal: TerminalSession) { participants.append(terminal) }

    /// Until the supervisor has ended all machines.
    public func run() {
        while !supervisor.isOver {
            var waits = Waits()
            for participant in participants { participant.wait(&waits) }
            waits.wait()
            let now = Clock.monotonic()
            for participant in participants { participant.proceed(waits, now: now) }
        }
    }
}
