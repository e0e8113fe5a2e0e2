// How much memory this process may still take: the host's, and that of every control group it is in.
//
// The kernel would not refuse: it would look for a process to kill. So it is asked before. Read next: Prefault.swift.

/// What is available, and what limits it.
public struct Room: Equatable, Sendable {
    public var bytes: UInt64
    public var limitedBy: String

    /// From /proc/meminfo and the control groups (cgroup v2) of this process; nil when the host does not say.
    public static func now() -> Room? {
        guard let available = available(meminfo: readText("/proc/meminfo") ?? "") else { return nil }
        var room = Room(bytes: available, limitedBy: "MemAvailable in /proc/meminfo")
        for folder in groups(of: readText("/proc/self/cgroup") ?? "") {
            guard let limit = readNumber("\(folder)/memory.max"), let used = readNumber("\(folder)/memory.current"),
                limit - min(used, limit) < room.bytes
            else { continue }
            room = Room(bytes: limit - min(used, limit), limitedBy: "memory.max of \(folder)")
        }
        return room
    }

    /// "MemAvailable:   23601 kB" (proc_meminfo(5)), in bytes.
    static func available(meminfo: String) -> UInt64? {
        for line in meminfo.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return UInt64(line.filter(\.isNumber)).map { $0 << 10 }
        }
        return nil
    }

    /// The folders of "0::/a/b" (cgroups(7)): its own and those above it.
    static func groups(of text: String) -> [String] {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else { return [] }
        let names = line.dropFirst(4).split(separator: "/")
        return (0...names.count).map { "/sys/fs/cgroup" + names.prefix($0).map { "/" + $0 }.joined() }
    }
}
