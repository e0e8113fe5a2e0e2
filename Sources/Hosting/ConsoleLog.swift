// What a machine has written last: a bounded part of it in memory, all of it in a file if asked for.
//
// Read next: PlainText.swift.

import Host

struct ConsoleLog {
    /// Bytes that are kept at least, of those that there were.
    static let capacity = 64 << 10
    private var kept: [UInt8] = []
    private var file: LogFile?

    init(file: LogFile? = nil) { self.file = file }

    /// Counts all that ever came, so that a reader sees whether there is more.
    private(set) var total: UInt64 = 0

    mutating func append(_ bytes: [UInt8]) {
        total &+= UInt64(bytes.count)
        kept += bytes
        // Only when it is twice as long: moving it costs each byte once.
        if kept.count > 2 * Self.capacity { kept = Array(kept.suffix(Self.capacity)) }
        file?.append(bytes)
    }

    var bytes: ArraySlice<UInt8> { kept.suffix(Self.capacity) }
}

/// A file that grows to a limit, then makes way for a new one: the last is kept beside it as NAME.1.
struct LogFile {
    static let limit: UInt64 = 1 << 20
    private let path: String
    private var size: UInt64

    init(_ path: String) throws(HostError) {
        self.path = path
        size = try AppendedFile(path).size
    }

    /// What cannot be written (a full disk) is lost: the machine goes on.
    mutating func append(_ bytes: [UInt8]) {
        if size > 0, size + UInt64(bytes.count) > Self.limit { renameFile(path, to: path + ".1") }
        do throws(HostError) {
            let file = try AppendedFile(path)
            file.append(bytes)
            size = file.size
        } catch {}
    }
}
