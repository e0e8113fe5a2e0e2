// What the kernel says of another process: proc(5).
//
// Read next: ../Hosting/MachineDefinition.swift.

import Glibc

/// Bytes of a process's memory that are in memory; nil when there is no such process.
public func residentBytes(of pid: Int32) -> UInt64? {
    guard let fields = procFields("/proc/\(pid)/statm"), fields.count > 1, let pages = UInt64(fields[1]) else {
        return nil
    }
    return pages << 12
}

private func procFields(_ path: String) -> [Substring]? {
    do throws(HostError) {
        let text = String(decoding: try File.regular(path).read(at: 0, 4096), as: UTF8.self)
        return text.split(separator: " ")
    } catch { return nil }
}

/// What a server calls itself.
public var hostName: String {
    var name = utsname()
    if unsafe uname(&name) != 0 { return "" }
    return unsafe withUnsafeBytes(of: &name.nodename) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
