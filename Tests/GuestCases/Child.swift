// A program under watch: its output is captured, its time is bounded, it never outlives us.
//
// Read next: CaseRun.swift (guest cases) and Tests/GuestTests (signals, terminals, broken pipes).

import Glibc
import Host

/// How a program ended and what it said.
public struct Ending: Sendable {
    public enum How: Equatable, Sendable {
        case exited(Int32)
        case killed(signal: Int32)
        /// It was still there at the time limit and was killed.
        case overtime
    }
    public let how: How
    public let output: [UInt8]
    public let error: [UInt8]
    /// From its start to its end.
    public let nanoseconds: UInt64
}

/// A started program; killed and reaped when this goes out of scope.
public struct Child: ~Copyable {
    public let pid: pid_t
    private let started = Clock.monotonic()
    private var input: File?
    private var output: Capture
    private var error: Capture
    private var ended: Ending.How?

    /// Starts `program`, a path, with the arguments after its name.
    public init(
        _ program: String, _ arguments: [String], input: ChildInput = .null, output: ChildOutput = .captured
    ) throws(HostError) {
        let inputs = try StreamEnds(input)
        let outputs = try StreamEnds(output)
        let errors = try StreamEnds(.captured)
        pid = try spawn(program, arguments, (inputs.wire, outputs.wire, errors.wire))
        self.input = inputs.ours
        let stuck = if case .stuck = output { true } else { false }
        self.output = Capture(outputs.ours, reading: !stuck)
        error = Capture(errors.ours)
    }

    deinit {
        if ended != nil { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Sends a signal.
    public func send(_ signal: Int32) { kill(pid, signal) }

    /// Types on the console; the input must be `.open`.
    public func type(_ text: String) {
        writeAll(Array(text.utf8), to: descriptor(input))
    }

    /// Ends the input.
    public mutating func closeInput() { input = nil }

    /// Waits until standard output or error contains a text; false when it did not within `seconds`.
    public mutating func waits(for text: String, seconds: Double = 30) -> Bool {
        let deadline = Clock.monotonic() + UInt64(seconds * 1e9)
        while !output.bytes.contains(text: text) && !error.bytes.contains(text: text) {
            if output.atEnd && error.atEnd || !readSome(until: deadline) { return false }
        }
        return true
    }

    /// Waits for the end, but kills the program `seconds` after its start.
    public mutating func finish(seconds: Double = 30) -> Ending {
        let deadline = started + UInt64(seconds * 1e9)
        while !(output.atEnd && error.atEnd) && readSome(until: deadline) {}
        while ended == nil {
            ended = reap(WNOHANG)
            if ended == nil && Clock.monotonic() >= deadline {
                kill(pid, SIGKILL)
                _ = reap(0)
                ended = .overtime
            }
            if ended == nil { usleep(500) }
        }
        return Ending(
            how: ended ?? .overtime, output: output.bytes, error: error.bytes,
            nanoseconds: Clock.monotonic() - started)
    }

    /// False when the deadline has passed.
    private mutating func readSome(until deadline: UInt64) -> Bool {
        let now = Clock.monotonic()
        if now >= deadline { return false }
        let ready = wait(for: WaitFor(output.fd), WaitFor(error.fd), nanoseconds: deadline - now)
        if ready.0 { output.read() }
        if ready.1 { error.read() }
        return true
    }

    private func reap(_ options: Int32) -> Ending.How? {
        var status: Int32 = 0
        if unsafe waitpid(pid, &status, options) != pid { return nil }
        // wait(2): the low seven bits are the signal that killed it, the next byte is the exit status.
        return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f)
    }
}
