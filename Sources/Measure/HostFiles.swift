// The kernel's small files, through two functions that the caller gives: so this module imports nothing, and tests invent
// a host.
//
// Read next: KVMKind.swift, Environment.swift, Noise.swift.

/// How to read a host.
public struct HostFiles {
    /// A file's text; nil when it cannot be read.
    public let text: (String) -> String?
    /// The paths that a glob(7) pattern matches.
    public let paths: (String) -> [String]

    public init(text: @escaping (String) -> String?, paths: @escaping (String) -> [String] = { _ in [] }) {
        self.text = text
        self.paths = paths
    }

    /// Without white space at both ends; empty when there is no such file.
    func word(_ path: String) -> String { trimmed(text(path)) }

    /// The choice in brackets: "always [madvise] never".
    func choice(_ path: String) -> String {
        let text = word(path)
        guard let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]"), open < close else { return "" }
        return String(text[text.index(after: open)..<close])
    }

    /// The first lines of all files that match, by the last part of their paths.
    func words(matching pattern: String) -> [String: String] {
        var found: [String: String] = [:]
        for path in paths(pattern) {
            guard let text = text(path), let name = path.split(separator: "/").last else { continue }
            found[String(name)] = trimmed(lines(text).first.map { String($0.prefix(200)) })
        }
        return found
    }
}

func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }

/// The value of the first line "name : value", as /proc/cpuinfo and /proc/PID/status write them.
func field(_ name: String, _ text: String) -> String {
    for line in lines(text) where line.hasPrefix(name) {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2, trimmed(String(parts[0])) == name { return trimmed(String(parts[1])) }
    }
    return ""
}

/// Without white space at both ends.
func trimmed(_ text: String?) -> String {
    var rest = Substring(text ?? "")
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
