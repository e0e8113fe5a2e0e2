// A file of zeros with a name nobody else has, for guests with a disk.
//
// Read next: CaseRun.swift.

import Glibc
import Host

/// Removed when it goes out of scope.
public struct TemporaryDisk: ~Copyable {
    public let path: String

    public init(size: UInt64) throws(HostError) {
        var template = Array("/tmp/swiftlet-disk-XXXXXX".utf8CString)
        let fd = unsafe mkstemp(&template)
        if fd < 0 { throw HostError("mkstemp", "/tmp", errno: errno) }
        try File(owning: fd).truncate(size)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = unsafe unlink(path) }
}
