// The ends of a child's standard streams: theirs, which the program gets, and ours, which we keep.
//
// Read next: Child.swift.

import CHost
import Glibc
import Host

/// What a program finds on its standard input.
public enum ChildInput: Sendable {
    case null
    case closed
    /// A pipe with these bytes (fewer than a pipe holds: 64 KiB) and then its end.
    case bytes([UInt8])
    /// A pipe that stays open, for `Child.type` to write to.
    case open
    /// The path of a terminal, which becomes the program's controlling one.
    case terminal(String)
}

/// Where a program's standard output or error goes.
public enum ChildOutput: Sendable {
    case captured
    /// A pipe that nobody reads any more.
    case readerGone
    /// A pipe that holds 4 KiB and that nobody reads.
    case stuck
    /// The path of a terminal.
    case terminal(String)
}

/// One stream: closing `theirs` once the program runs leaves it the only holder.
struct StreamEnds: ~Copyable {
    let wire: Wire
    let theirs: File?
    let ours: File?

    init(_ input: ChildInput) throws(HostError) {
        switch input {
        case .null: self.init(theirs: try File("/dev/null", .read))
        case .closed: self.init(wire: .closed)
        case .terminal(let path): self.init(wire: .terminal(path))
        case .open:
            let (reader, writer) = try makePipe()
            self.init(theirs: File(owning: reader), ours: File(owning: writer))
        case .bytes(let bytes):
            let (reader, writer) = try makePipe()
            self.init(theirs: File(owning: reader))
            writeAll(bytes, to: writer)  // cannot block or fail: the pipe is empty and its reader is ours
            close(writer)
        }
    }

    init(_ output: ChildOutput) throws(HostError) {
        switch output {
        case .terminal(let path): self.init(wire: .terminal(path))
        case .captured, .stuck:
            let (reader, writer) = try makePipe()
            if case .stuck = output { _ = fcntl(writer, setPipeSize, 4096) }
            self.init(theirs: File(owning: writer), ours: File(owning: reader))
        case .readerGone:
            let (reader, writer) = try makePipe()
            self.init(theirs: File(owning: writer))
            close(reader)
        }
    }

    private init(wire: Wire) {
        self.wire = wire
        theirs = nil
        ours = nil
    }

    private init(theirs: consuming File, ours: consuming File? = nil) {
        wire = .descriptor(theirs.fd)
        self.theirs = consume theirs
        self.ours = ours
    }
}

/// What a program has written so far, kept up to a bound.
struct Capture: ~Copyable {
    static let bound = 1 << 20
    let file: File?
    var bytes: [UInt8] = []
    var atEnd: Bool

    /// Not reading leaves the file open and full.
    init(_ file: consuming File?, reading: Bool = true) {
        atEnd = !reading || descriptor(file) < 0
        self.file = file
    }

    /// For poll(2), which passes over negative descriptors.
    var fd: Int32 { atEnd ? -1 : descriptor(file) }

    /// Reads once; to be called when there is something to read.
    mutating func read() {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = unsafe Glibc.read(fd, &chunk, chunk.count)
        if count < 0 && errno == EINTR { return }
        if count <= 0 { atEnd = true }
        if bytes.count < Capture.bound { bytes += chunk.prefix(max(0, count)) }
    }
}

/// The descriptor of a file that may be none: -1 then.
func descriptor(_ file: borrowing File?) -> Int32 {
    switch file {
    case .some(let file): file.fd
    case .none: -1
    }
}

/// F_SETPIPE_SZ of Linux's <fcntl.h>, which Swift sees only without it.
private let setPipeSize: Int32 = 1031

/// Both ends are closed on exec, and block, as a program may expect of its standard streams.
private func makePipe() throws(HostError) -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [0, 0]
    let result = unsafe chost_pipe(&ends)
    if result < 0 { throw HostError("pipe2", "", errno: Int32(-result)) }
    for end in ends where fcntl(end, F_SETFL, 0) != 0 { throw HostError("fcntl", "", errno: errno) }
    return (ends[0], ends[1])
}

/// Writes all of it, or as much as is taken.
func writeAll(_ bytes: [UInt8], to fd: Int32) {
    signal(SIGPIPE, SIG_IGN)  // a child may have ended already, as its test expects
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = unsafe rest.withUnsafeBytes { unsafe write(fd, $0.baseAddress, $0.count) }
        if written < 0 && errno != EINTR { return }
        rest = rest.dropFirst(max(0, written))
    }
}
