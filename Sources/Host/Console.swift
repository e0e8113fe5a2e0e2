// The console: two descriptors, usually standard input and output, used so that a kick gets through.
//
// A write is one write(2) of the guest's own bytes: no copy, no buffer. A kick ends a blocked one with EINTR.
// Read next: Terminal.swift.

import Glibc

/// How a write or read of the console ended.
public enum ConsoleResult: Equatable, Sendable {
    /// Bytes moved; 0 from a read is the end of input.
    case done(Int)
    /// A signal came first. Nothing was moved.
    case interrupted
    /// The descriptor is non-blocking and not ready.
    case notReady
    /// Nobody reads any more (EPIPE), or the terminal hung up.
    case gone
    case failed(errno: Int32)

    init(_ result: Int) {
        if result >= 0 {
            self = .done(result)
            return
        }
        switch errno {
        case EINTR: self = .interrupted
        case EAGAIN: self = .notReady
        case EPIPE: self = .gone
        case let error: self = .failed(errno: error)
        }
    }
}

/// Descriptors that belong to the process, not to this value.
public struct Console: Sendable {
    public let input: Int32
    public let output: Int32

    // STDIN_FILENO and STDOUT_FILENO in numbers: which module a macro is imported from hangs on the build's order, and a
    // default argument may name only what this file imports itself.
    public init(input: Int32 = 0, output: Int32 = 1) {
        self.input = input
        self.output = output
    }

    /// One write(2), which may move fewer bytes.
    public func write(_ span: RawSpan) -> ConsoleResult {
        unsafe span.withUnsafeBytes { ConsoleResult(unsafe Glibc.write(output, $0.baseAddress, $0.count)) }
    }

    /// One write(2) of what lies behind the first `start` bytes.
    public func write(_ bytes: [UInt8], from start: Int) -> ConsoleResult {
        unsafe bytes.withUnsafeBytes {
            let rest = unsafe $0.dropFirst(start)
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: rest)
            return ConsoleResult(unsafe Glibc.write(output, bytes.baseAddress, bytes.count))
        }
    }

    /// One read(2). A descriptor that was closed is at its end.
    public func read(_ span: inout MutableRawSpan) -> ConsoleResult {
        let result = unsafe span.withUnsafeMutableBytes {
            ConsoleResult(unsafe Glibc.read(input, $0.baseAddress, $0.count))
        }
        return result == .failed(errno: EBADF) || result == .failed(errno: EIO) ? .done(0) : result
    }
}
