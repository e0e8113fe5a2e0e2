// What a process and the kernel under it use, from two files of /proc: the difference of two looks is what came between.
//
// The host's other work is in it too: trust differences that are much larger than that, on a quiet host.
// Read next: swiftlet-bench/Memory/CloneRows.swift.

/// KiB.
public struct MemoryUse: Equatable, Sendable {
    /// The kernel's own memory: slab, vmalloc, page tables (KVM's too) and per-CPU data, of the whole host.
    public let kernel: Int
    /// A process's anonymous memory, copies of pages of a file that it has written among it.
    public var own: Int

    /// From /proc/meminfo and /proc/PID/smaps_rollup (proc(5)); nil without the first's fields.
    public init?(meminfo: String, rollup: String) {
        let fields = Self.fields(meminfo)
        guard let slab = fields["Slab"], let tables = fields["PageTables"], let vmalloc = fields["VmallocUsed"] else {
            return nil
        }
        // Linux 6.1 and 5.13 have the other two. Kernel stacks are vmalloc's.
        kernel = slab + tables + vmalloc + (fields["SecPageTables"] ?? 0) + (fields["Percpu"] ?? 0)
        own = Self.anonymous(rollup)
    }

    /// KiB of a process.
    public static func anonymous(_ rollup: String) -> Int { fields(rollup)["Anonymous"] ?? 0 }

    /// Lines such as "Slab:     1234 kB".
    private static func fields(_ text: String) -> [String: Int] {
        var fields: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count >= 2, words[0].last == ":", let number = Int(words[1]) else { continue }
            fields[String(words[0].dropLast())] = number
        }
        return fields
    }
}
