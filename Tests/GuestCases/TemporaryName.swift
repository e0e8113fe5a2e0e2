// A name in /tmp that nobody else has, for a file or a folder.
//
// Read next: TemporaryDisk.swift.

import Glibc
import Host

public enum TemporaryName {
    /// A new, empty file: its path, and a descriptor that the caller owns.
    public static func file() throws(HostError) -> (path: String, fd: Int32) {
        var template = template
        let fd = unsafe mkstemp(&template)
        if fd < 0 { throw HostError("mkstemp", "/tmp", errno: errno) }
        return (path(template), fd)
    }

    /// A new folder's path.
    public static func folder() throws(HostError) -> String {
        var template = template
        if unsafe mkdtemp(&template) == nil { throw HostError("mkdtemp", "/tmp", errno: errno) }
        return path(template)
    }

    private static var template: [CChar] { Array("/tmp/swiftlet-test-XXXXXX".utf8CString) }

    private static func path(_ template: [CChar]) -> String {
        String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
