// What the host has at one address of ours: whether the page is there, how large, whose.
//
// Read next: Mappings.swift.

import Host

/// A page of this process, in words.
public struct PageState {
    /// "resident, part of a huge page, anonymous, ours alone".
    public let words: String

    /// 64 bits a page: bit 63 present, 62 in swap, 61 a file's or shared, 56 mapped by us alone (Linux,
    /// Documentation/admin-guide/mm/pagemap.rst).
    public init(at address: UInt64) {
        guard let file = try? File("/proc/self/pagemap", .read),
            let bytes = try? file.read(at: address / 4096 * 8, 8), bytes.count == 8
        else {
            words = "the kernel does not tell"
            return
        }
        let flags = bytes[7]
        if flags & 0x40 != 0 {
            words = "in swap"
        } else if flags & 0x80 == 0 {
            words = "not there: the first access makes it"
        } else {
            let page = address & ~4095
            let isHuge = PageScan()?.count(page..<page + 4096)?.huge == 4096
            words = [
                "resident", isHuge ? "part of a huge page" : "4 KiB", flags & 0x20 != 0 ? "of a file" : "anonymous",
                flags & 1 != 0 ? "mapped by us alone" : "mapped by others too",
            ].joined(separator: ", ")
        }
    }
}
