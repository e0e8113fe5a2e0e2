// Where a trace or a profile goes: a file, or standard error, for standard output is the guest's.
//
// Read next: TraceFile.swift.

import Host

/// A file to write, opened at once.
struct OutputFile: ~Copyable, Sendable {
    /// "-" is standard error.
    let path: String
    let fd: Int32
    private let file: File?
    var isStandardError: Bool { path == "-" }

    init(_ path: String) throws(HostError) {
        self.path = path
        if path == "-" {
            fd = 2
            file = nil
        } else {
            let file = try File(path, .create)
            fd = file.fd
            self.file = consume file
        }
    }

    /// The last bytes; with `patience` only if there is room for them within so many nanoseconds.
    func finish(_ bytes: [UInt8], _ patience: UInt64?) {
        let isWritten = writeText(String(decoding: bytes, as: UTF8.self), to: fd, patience: patience)
        if !isWritten, !isStandardError { complain("is not complete: the disk is full, or nobody reads it") }
    }

    /// One line for the user.
    func complain(_ what: String) {
        writeText("swiftlet: \(printable(path)): \(what)\n", patience: 200_000_000)
    }
}
