// The pool of huge pages that an administrator has set aside: what is in it, and whether a machine fits.
//
// Asked only to explain: mmap reserves a mapping's pages, and is the one to refuse. Read next: Prefault.swift.

import Host

struct HugePages {
    /// In the pool.
    let reserved: UInt64
    /// Neither used nor promised to a mapping.
    let free: UInt64

    /// Nil when this kernel has none of 2 MiB.
    init?() {
        guard let total = Self.count("nr_hugepages"), let free = Self.count("free_hugepages"),
            let promised = Self.count("resv_hugepages")
        else { return nil }
        reserved = total
        self.free = free - min(promised, free)
    }

    private static func count(_ name: String) -> UInt64? {
        readNumber("/sys/kernel/mm/hugepages/hugepages-2048kB/\(name)")
    }

    /// Why a mapping of `size` bytes was refused.
    static func refusal(size: UInt64) -> BackingError {
        guard let pool = HugePages() else { return .noHugePages }
        return .hugePages(needed: (size + hugePageSize - 1) / hugePageSize, free: pool.free, reserved: pool.reserved)
    }
}

/// A small text file of the kernel's; nil when it is not there.
func readText(_ path: String, limit: Int = 65536) -> String? {
    guard let file = try? File(path, .read) else { return nil }
    var text: [UInt8] = []
    while text.count < limit, let more = try? file.read(at: UInt64(text.count), 4096), !more.isEmpty { text += more }
    return String(decoding: text, as: UTF8.self)
}

/// Its first number.
func readNumber(_ path: String) -> UInt64? {
    readText(path).flatMap { UInt64($0.prefix { $0.isNumber }) }
}
