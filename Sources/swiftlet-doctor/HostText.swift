// Small files of /proc and /sys, as text.
//
// Read next: HostMemory.swift.

import Host

enum HostText {
    /// Nil when it cannot be read. At most 64 KiB, without white space at its end.
    static func read(_ path: String) -> String? {
        do throws(HostError) {
            let file = try File.regular(path)
            let bytes = try file.read(at: 0, 1 << 16)
            let end = bytes.lastIndex { $0 > 0x20 } ?? -1
            return String(decoding: bytes[...end], as: UTF8.self)
        } catch { return nil }
    }

    /// The number that a file starts with.
    static func number(_ path: String) -> UInt64? {
        read(path).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// The choice in brackets: "always [madvise] never".
    static func choice(_ path: String) -> String? {
        guard let text = read(path), let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]"),
            open < close
        else { return nil }
        return String(text[text.index(after: open)..<close])
    }
}
