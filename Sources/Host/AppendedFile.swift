// A file that is written at its end: a log.
//
// Read next: HostSignals.swift.

import CHost
import Glibc

public struct AppendedFile: ~Copyable {
    private let file: File

    /// Makes it if it is not there.
    public init(_ path: String) throws(HostError) {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY
        let result = unsafe path.withCString { unsafe chost_open($0, flags) }
        if result < 0 { throw HostError("open", path, errno: Int32(-result)) }
        file = File(owning: Int32(result))
    }

    /// Bytes in it; 0 when it does not say.
    public var size: UInt64 { (try? file.size()) ?? 0 }

    /// What it does not take is lost.
    public func append(_ bytes: [UInt8]) { _ = Console(output: file.fd).write(bytes, from: 0) }
}

@discardableResult
public func renameFile(_ path: String, to name: String) -> Bool { unsafe rename(path, name) == 0 }
