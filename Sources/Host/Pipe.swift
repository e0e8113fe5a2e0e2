// A pipe that never blocks its writer: what `--raw` puts between the keyboard and the guest.
//
// Read next: VMM/Keyboard.swift.

import CHost
import Glibc

/// An owned pipe(2), both ends non-blocking.
public struct Pipe: ~Copyable, Sendable {
    public let reader: Int32
    public private(set) var writer: Int32

    public init() throws(HostError) {
        var ends: (Int32, Int32) = (0, 0)
        let result = unsafe withUnsafeMutableBytes(of: &ends) {
            // Sound: two consecutive Int32 are what pipe2(2) fills.
            unsafe chost_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        if result != 0 { throw HostError("pipe2", "", errno: Int32(-result)) }
        (reader, writer) = ends
    }

    deinit {
        close(reader)
        if writer >= 0 { close(writer) }
    }

    /// Writes what fits; the rest is lost, as in a serial port that nobody reads.
    public func write(_ bytes: [UInt8]) {
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(writer, $0.baseAddress, $0.count) }
    }

    /// The reader will see the end of input.
    public mutating func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }
}

/// Reads what a descriptor has, at most `count` bytes; empty at the end, nil when nothing is there yet.
public func readAvailable(_ fd: Int32, _ count: Int) -> [UInt8]? {
    var failed = false
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        let result = unsafe read(fd, buffer.baseAddress, count)
        failed = result < 0 && (errno == EINTR || errno == EAGAIN)
        filled = max(0, result)
    }
    return failed ? nil : bytes
}
