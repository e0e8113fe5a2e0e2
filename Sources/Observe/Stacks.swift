// A profile: how many samples were taken in which stack of functions, and the two forms in which it is read.
//
// Collapsed stacks ("start;main;sieve 998", one a line, outermost first) are what flame graph programs take. The flat form
// is for people in a hurry. Read next: Sampler.swift, or docs/trace.md.

/// Samples by stack. A guest can invent stacks without end, so those that would take too much memory are counted together.
public struct Stacks: Sendable {
    private var samples: [String: UInt64] = [:]
    private var bytes = 0
    /// All samples.
    public private(set) var total: UInt64 = 0

    /// Bytes of distinct stacks that are kept.
    static let capacity = 4 << 20
    static let rest = "[other stacks]"

    public init() {}

    /// Adds `weight` samples of a stack; the innermost frame is the first.
    public mutating func add(_ frames: [String], weight: UInt64 = 1) {
        total += weight
        var stack = frames.reversed().map(Self.frame).joined(separator: ";")
        if samples[stack] == nil {
            if bytes + stack.utf8.count > Self.capacity { stack = Self.rest } else { bytes += stack.utf8.count }
        }
        samples[stack, default: 0] += weight
    }

    /// Adds another's samples.
    mutating func add(_ other: Stacks) {
        total += other.total
        for (stack, count) in other.samples {
            var stack = stack
            if samples[stack] == nil {
                if bytes + stack.utf8.count > Self.capacity { stack = Self.rest } else { bytes += stack.utf8.count }
            }
            samples[stack, default: 0] += count
        }
    }

    /// Without what has a meaning in the collapsed form, or none on a terminal.
    private static func frame(_ name: String) -> String {
        String(
            String.UnicodeScalarView(
                name.unicodeScalars.map {
                    $0 == ";" ? ":" : $0.value <= 0x20 || (0x7f..<0xa0).contains($0.value) ? "_" : $0
                }))
    }

    /// One line for each stack, the most frequent first.
    public var collapsed: String {
        let sorted = samples.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return sorted.map { "\($0.key) \($0.value)\n" }.joined()
    }

    /// A function's samples: as the innermost frame, and anywhere in the stack.
    public struct Share: Equatable, Sendable {
        public var name: String
        public var own: UInt64 = 0
        public var all: UInt64 = 0
    }

    /// By own samples, then by all.
    public var shares: [Share] {
        var shares: [String: Share] = [:]
        for (stack, count) in samples {
            let frames = stack.split(separator: ";").map { String($0) }
            for name in Set(frames) { shares[name, default: Share(name: name)].all += count }
            if let inner = frames.last { shares[inner, default: Share(name: inner)].own += count }
        }
        return shares.values.sorted { ($1.own, $1.all, $0.name) < ($0.own, $0.all, $1.name) }
    }

    /// A table of at most `limit` functions.
    public func flat(limit: Int = 40) -> String {
        let rows = shares.prefix(limit).map { "  \(percent($0.own))  \(percent($0.all))  \($0.name)\n" }
        return "     own     all  function, of \(total) samples\n" + rows.joined()
    }

    /// "  93.1%"
    private func percent(_ count: UInt64) -> String {
        let tenths = total == 0 ? 0 : Int((Double(count) * 1000 / Double(total)).rounded())
        return padded("\(tenths / 10).\(tenths % 10)%", 6)
    }
}

/// Right-aligned in so many columns.
func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
}
