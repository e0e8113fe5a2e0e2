// A file of zeros with a name nobody else has, for guests with a disk.
//
// Read next: CaseRun.swift.

import Glibc
import Host

/// Removed when it goes out of scope.
public struct TemporaryDisk: ~Copyable {
    public let path: String

    public init(size: UInt64) throws(HostError) {
        let (path, fd) = try TemporaryName.file()
        try File(owning: fd).truncate(size)
        self.path = path
    }

    deinit { _ = unsafe unlink(path) }
}
