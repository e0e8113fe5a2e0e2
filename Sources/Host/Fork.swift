// A copy of this process that goes on by itself, and what of the host bounds how many there can be.
//
// `clone --processes` forks behind the check of a snapshot: every child runs from the same open file, whatever becomes of
// its name. Read next: ../swiftlet-clone/CloneCommand.swift.

import CHost
import Glibc

/// A child of this process, which must have one thread. Returns 0 in the child, its process id in the parent.
///
/// The child's signals are as a new program's (SIGPIPE ignored), and it is killed when its parent ends.
public func forkProcess() throws(HostError) -> Int32 {
    let result = chost_fork()
    if result < 0 { throw HostError("fork", "", errno: Int32(-result)) }
    return Int32(result)
}

/// In a child: `input` and `output` become descriptors 0 and 1; all others are closed, but 2 and two that are above it.
public func becomeStandard(input: Int32, output: Int32, kept: (Int32, Int32)) {
    dup2(input, STDIN_FILENO)
    dup2(output, STDOUT_FILENO)
    chost_close_all_but(min(kept.0, kept.1), max(kept.0, kept.1))
}

/// Both ends of a pipe(2), which do not block, for the caller to own (`File`).
public func pipeEnds() throws(HostError) -> (reader: Int32, writer: Int32) {
    var ends: (Int32, Int32) = (0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &ends) {
        // Sound: two consecutive Int32 are what pipe2(2) fills.
        unsafe chost_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
    }
    if result != 0 { throw HostError("pipe2", "", errno: Int32(-result)) }
    return ends
}

/// Waits for a child's end, which must be near.
public func reap(_ pid: Int32) -> ChildEnd {
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
    // wait(2): the low seven bits are the signal that killed it, the next byte is the exit status.
    return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: status & 0x7f)
}

public func sendSignal(_ signal: Int32, to pid: Int32) { kill(pid, signal) }

/// Raises the soft limit of open files (RLIMIT_NOFILE) to the hard one; how many there may be.
public func raiseFileLimit() -> Int { Int(clamping: chost_raise_files()) }

/// Bytes that can be had without swapping (`MemAvailable`, proc(5)); nil where the kernel does not say.
public func availableMemory() -> UInt64? {
    var text = ""
    do throws(HostError) {
        text = String(decoding: try File.regular("/proc/meminfo").read(at: 0, 1 << 14), as: UTF8.self)
    } catch { return nil }
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") }) else { return nil }
    let fields = line.split(separator: " ", omittingEmptySubsequences: true)
    return fields.count > 1 ? UInt64(fields[1]).map { $0 << 10 } : nil
}

/// Writes all of it; false when it was not taken.
public func writeBytes(_ bytes: [UInt8], to fd: Int32) -> Bool {
    let console = Console(output: fd)
    var done = 0
    while done < bytes.count {
        switch console.write(bytes, from: done) {
        case .done(let count): done += count
        case .interrupted: continue
        case .notReady: _ = wait(for: WaitFor(fd, write: true), nanoseconds: nil)
        case .gone, .failed: return false
        }
    }
    return true
}

/// Makes a folder, unless it is there.
public func makeFolder(_ path: String) throws(HostError) {
    if unsafe mkdir(path, 0o777) != 0, errno != EEXIST { throw HostError("mkdir", path, errno: errno) }
}
