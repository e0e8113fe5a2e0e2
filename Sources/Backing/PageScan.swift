// Which pages of a range are there, and which of them are huge: PAGEMAP_SCAN, or /proc/self/pagemap before Linux 6.7.
//
// Read next: PageState.swift.

import CBacking
import Host

/// Bytes of a range.
public struct PageCount: Equatable, Sendable {
    public var resident: UInt64 = 0
    /// Mapped by a huge page; nil where the kernel does not say.
    public var huge: UInt64? = 0
    /// Resident and not the file's: a private mapping's own copies, and all of anonymous memory.
    public var anonymous: UInt64 = 0
}

/// The process's page map, opened.
struct PageScan: ~Copyable {
    private let file: File

    init?() {
        guard let file = try? File("/proc/self/pagemap", .read) else { return nil }
        self.file = file
    }

    /// Of host addresses.
    func count(_ range: Range<UInt64>) -> PageCount? { scan(range) ?? read(range) }

    private func scan(_ range: Range<UInt64>) -> PageCount? {
        var count = PageCount()
        var runs = [cbacking_run](repeating: cbacking_run(), count: 256)
        var next = range.lowerBound
        while next < range.upperBound {
            let before = next
            let found = unsafe cbacking_scan(file.fd, &next, range.upperBound, &runs, UInt64(runs.count))
            if found < 0 || next <= before { return nil }
            for run in runs.prefix(found) {
                let size = run.end - run.start
                count.resident += size
                if run.categories & UInt64(CBACKING_PAGE_HUGE) != 0 { count.huge? += size }
                if run.categories & UInt64(CBACKING_PAGE_FILE) == 0 { count.anonymous += size }
            }
        }
        return count
    }

    /// 64 bits a page: bit 63 present, bit 61 file page (Linux, Documentation/admin-guide/mm/pagemap.rst).
    private func read(_ range: Range<UInt64>) -> PageCount? {
        var count = PageCount(huge: nil)
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 8192 * 4096) {
            let pages = Int((min(start + 8192 * 4096, range.upperBound) - start) / 4096)
            guard let bytes = try? file.read(at: start / 4096 * 8, pages * 8) else { return nil }
            for page in 0..<bytes.count / 8 where bytes[page * 8 + 7] & 0x80 != 0 {
                count.resident += 4096
                if bytes[page * 8 + 7] & 0x20 == 0 { count.anonymous += 4096 }
            }
        }
        return count
    }
}
