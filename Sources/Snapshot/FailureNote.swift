// Why the last snapshot could not be written, where another process can read it: `swiftlet snapshot PID` sees the file when it is
// there, and this when it will not be.
//
// A file without a name (memfd_create(2)), which /proc shows among our descriptors to whoever may look at them. It is made before
// the sandbox is entered, which has no call for that. Read next: RestoreCommand.swift.

import Host
import VMM

public final class FailureNote {
    private static let name = "swiftlet-snapshot"
    private let file: File
    private var count = 0

    private init(_ file: consuming File) { self.file = file }

    /// Nil for a run that writes no snapshots, and on a host that gives no such file: its wishes are waited for.
    public static func open(_ configuration: Configuration) -> FailureNote? {
        if configuration.snapshot == nil { return nil }
        do throws(HostError) { return FailureNote(try File.memory(size: 0, name: name)) } catch { return nil }
    }

    /// With a number, so that the same reason twice is news. It is there at once or not at all: it is empty before, lies on
    /// one page, and its size is the last that the kernel changes.
    func write(_ reason: String) {
        count += 1
        let text = Array("\(count) \(reason)".utf8.prefix(4000))
        try? file.truncate(0)
        try? file.write(text, at: 0)
    }

    /// Where /proc has that of a process; nil for one that has none.
    public static func path(in process: Int32) -> String? {
        paths(matching: "/proc/\(process)/fd/*").first {
            linkTarget($0)?.hasPrefix("/memfd:\(name)") == true
        }
    }

    /// The number and the reason; nil when nothing has failed.
    public static func read(_ path: String) -> (number: Int, reason: String)? {
        guard let bytes = try? File(path, .read).read(at: 0, 4096) else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard words.count == 2, let number = Int(words[0]) else { return nil }
        return (number, String(words[1]))
    }
}
