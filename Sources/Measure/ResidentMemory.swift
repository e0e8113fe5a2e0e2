// Resident memory of a virtual machine's process, from /proc/PID/smaps (proc(5)).
//
// The guest's memory is found by its shape: the one run of adjacent anonymous mappings that is as long as the machine's
// memory. So the same rule holds for any VMM that maps it anonymously. Read next: swiftlet-bench/Bench.swift.

/// A process's resident memory, the guest's counted apart.
public struct ResidentMemory: Equatable, Sendable {
    public private(set) var guestKiB = 0
    public private(set) var otherKiB = 0

    /// Nil when no run of anonymous mappings is `guestKiB` long.
    public init?(smaps: String, guestKiB size: Int) {
        var mappings: [Mapping] = []
        for line in smaps.split(separator: "\n") {
            if let mapping = Mapping(line) { mappings.append(mapping) }
            if line.hasPrefix("Rss:"), !mappings.isEmpty {
                mappings[mappings.count - 1].resident = Int(line.dropFirst(4).filter(\.isNumber)) ?? 0
            }
        }
        guard let guest = Self.run(ofKiB: size, in: mappings) else { return nil }
        for (index, mapping) in mappings.enumerated() {
            if guest.contains(index) { guestKiB += mapping.resident } else { otherKiB += mapping.resident }
        }
    }

    /// One entry: "7f00-7f01 rw-p 00000000 00:00 0   [name]" (proc(5)).
    private struct Mapping {
        let start: UInt64
        let end: UInt64
        let isAnonymous: Bool
        var resident = 0

        init?(_ line: Substring) {
            let fields = line.split(separator: " ")
            guard fields.count >= 5, let dash = fields[0].firstIndex(of: "-"),
                let start = UInt64(fields[0][..<dash], radix: 16),
                let end = UInt64(fields[0][fields[0].index(after: dash)...], radix: 16)
            else { return nil }
            self.start = start
            self.end = end
            isAnonymous = fields.count == 5 && fields[4] == "0"
        }
    }

    /// The indices of adjacent anonymous mappings that together have that length.
    private static func run(ofKiB size: Int, in mappings: [Mapping]) -> Range<Int>? {
        for first in mappings.indices where mappings[first].isAnonymous {
            var last = first
            while last + 1 < mappings.count, mappings[last + 1].isAnonymous,
                mappings[last + 1].start == mappings[last].end,
                mappings[last].end - mappings[first].start < UInt64(size) << 10
            { last += 1 }
            if mappings[last].end - mappings[first].start == UInt64(size) << 10 { return first..<last + 1 }
        }
        return nil
    }
}
