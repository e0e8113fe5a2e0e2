// A pseudo-terminal: a machine's console, of which `host` has the keyboard's and screen's side.
//
// What is typed before anybody reads is kept by the kernel, up to its buffer; the rest is lost, as on a serial line.
// Read next: TerminalLine.swift.

import CHost
import Glibc

public struct PseudoTerminal: ~Copyable, Sendable {
    private let master: File
    /// What the machine's process opens.
    public let path: String

    public var fd: Int32 { master.fd }

    /// `isRaw`: every key goes through as it is; otherwise lines, with echo. No key is a signal in either.
    public init(isRaw: Bool) throws(HostError) {
        var number: Int32 = 0
        let result = unsafe chost_open_pseudo_terminal(&number)
        if result < 0 { throw HostError("open", "/dev/ptmx", errno: Int32(-result)) }
        let file = File(owning: Int32(result))
        let path = "/dev/pts/\(number)"
        let line = try openTerminal(path)
        let set = chost_set_console(line.fd, isRaw ? 1 : 0)
        if set < 0 { throw HostError("tcsetattr", path, errno: Int32(-set)) }
        self.path = path
        master = file
    }

    /// For whoever reads and writes from here on.
    public consuming func takeMaster() -> File { master }
}

/// A pipe for what a program says: our end does not block, the program's does.
public struct OutputPipe: ~Copyable {
    private let reader: File
    /// The program's end.
    public let writer: File

    public init() throws(HostError) {
        var ends: (Int32, Int32) = (0, 0)
        let result = unsafe withUnsafeMutableBytes(of: &ends) {
            // Sound: two consecutive Int32 are what pipe2(2) fills.
            unsafe chost_output_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        if result != 0 { throw HostError("pipe2", "", errno: Int32(-result)) }
        reader = File(owning: ends.0)
        writer = File(owning: ends.1)
    }

    /// Closes the program's end here, so that the end of what it says is seen.
    public consuming func takeReader() -> File { reader }
}
