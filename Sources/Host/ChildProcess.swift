// A program that we start, talk to and wait for: what a benchmark measures from exec to exit.
//
// Its end is awaited on a pidfd (pidfd_open(2)), so that a wait can have a limit without a polling loop or a signal.
// Read next: Terminal.swift.

import CHost
import Glibc

/// How a program ended.
public enum ChildEnd: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
    /// It was still there at the limit or at a stop, and was killed.
    case overtime
}

/// A started program; killed and reaped when this goes out of scope. Its standard error is ours.
public struct ChildProcess: ~Copyable {
    public let pid: Int32
    private let pidfd: File
    private var input: File
    private let output: File
    /// While it is readable nobody waits for the program any longer.
    private let stop: WaitFor?
    /// CLOCK_MONOTONIC before posix_spawn, nanoseconds.
    public let started: UInt64
    /// Set when it was reaped: the id may then be another process's.
    private var ended: ChildEnd?

    /// Starts `program`, a path. With `talks`, its standard input and output are pipes to us, else /dev/null. `variables`
    /// ("NAME=value") are added to its environment. Once the descriptor `stop` is readable, waiting for it ends as at a limit.
    public init(
        _ program: String, _ arguments: [String], talks: Bool = false, variables: [String] = [], stop: Int32? = nil
    ) throws(HostError) {
        let inputs = try ends(talks)
        let outputs = try ends(talks)
        let started = Clock.monotonic()
        let pid = try spawn(
            program, arguments, (.descriptor(inputs.reader.fd), .descriptor(outputs.writer.fd), .inherited),
            variables: variables)
        let handle = chost_pidfd_open(pid)
        if handle < 0 {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
            throw HostError("pidfd_open", program, errno: Int32(-handle))
        }
        pidfd = File(owning: Int32(handle))
        self.pid = pid
        input = inputs.takeWriter()
        output = outputs.takeReader()
        self.stop = stop.map { WaitFor($0) }
        self.started = started
    }

    deinit {
        if ended != nil { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
    }

    /// Types on its standard input.
    public func type(_ text: String) { writeText(text, to: input.fd) }

    public mutating func closeInput() throws(HostError) { input = try File("/dev/null", .create) }

    /// What it writes next, at most 64 KiB; nil at the end of its output, after `nanoseconds` or at a stop.
    public func read(nanoseconds: UInt64) -> String? {
        guard wait(for: WaitFor(output.fd), stop, nanoseconds: nanoseconds).0,
            let bytes = readAvailable(output.fd, 1 << 16), !bytes.isEmpty
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits for its end, but kills it `limit` nanoseconds after its start, or at a stop. How it ended, and how long it took.
    public mutating func finish(limit: UInt64) -> (end: ChildEnd, nanoseconds: UInt64) {
        let left = started + limit - min(started + limit, Clock.monotonic())
        let inTime = wait(for: WaitFor(pidfd.fd), stop, nanoseconds: left).0
        if !inTime { kill(pid, SIGKILL) }
        var status: Int32 = 0
        unsafe waitpid(pid, &status, 0)
        let time = Clock.monotonic() - started
        // wait(2): the low seven bits are the signal that killed it, the next byte is the exit status.
        let end: ChildEnd = status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f)
        ended = inTime ? end : .overtime
        return (ended ?? .overtime, time)
    }
}

/// The writing and the reading end of a pipe, closed on exec; or /dev/null, opened twice.
private func ends(_ arePiped: Bool) throws(HostError) -> PipeEnds {
    if !arePiped { return PipeEnds(writer: try File("/dev/null", .create), reader: try File("/dev/null", .read)) }
    var ends: (Int32, Int32) = (0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &ends) {
        // Sound: two consecutive Int32 are what pipe2(2) fills.
        unsafe chost_child_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
    }
    if result != 0 { throw HostError("pipe2", "", errno: Int32(-result)) }
    return PipeEnds(writer: File(owning: ends.1), reader: File(owning: ends.0))
}

private struct PipeEnds: ~Copyable {
    let writer: File
    let reader: File

    consuming func takeWriter() -> File { writer }
    consuming func takeReader() -> File { reader }
}
