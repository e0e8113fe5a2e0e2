// The host's memory and its huge pages: what a guest's page walks and first touches will cost depends on them.
//
// Linux, Documentation/admin-guide/mm/transhuge.rst and hugetlbpage.rst. Read next: HostSandbox.swift.

import Host

struct HostMemory: Encodable, Equatable, Sendable {
    /// Bytes.
    var total: UInt64
    /// Bytes that programs can still get; nil when /proc does not say.
    var available: UInt64?
    /// `always`, `madvise` or `never`; nil when this kernel has no transparent huge pages.
    var transparentHugePages: String?
    /// Pages of hugetlbfs, by size.
    var hugePagePools: [Pool]

    struct Pool: Encodable, Equatable, Sendable {
        /// Bytes of a page.
        var pageSize: UInt64
        var reserved: UInt64
        var free: UInt64

        init(kilobytes: UInt64) {
            let folder = "/sys/kernel/mm/hugepages/hugepages-\(kilobytes)kB"
            pageSize = kilobytes << 10
            reserved = HostText.number("\(folder)/nr_hugepages") ?? 0
            free = HostText.number("\(folder)/free_hugepages") ?? 0
        }
    }

    init() {
        total = Processor.memorySize()
        available = HostText.read("/proc/meminfo").flatMap { Self.available($0) }
        transparentHugePages = HostText.choice("/sys/kernel/mm/transparent_hugepage/enabled")
        hugePagePools = [Pool(kilobytes: 2048), Pool(kilobytes: 1 << 20)]
    }

    /// "MemAvailable:   12345 kB"
    static func available(_ text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
            return line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 &* 1024 }
        }
        return nil
    }
}
