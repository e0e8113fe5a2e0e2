// What /proc/self/smaps (proc(5)) says of the mappings in an address range, added up.
//
// Read next: MemoryReport.swift.

/// Bytes.
public struct MappingTotals: Equatable, Sendable {
    public var resident: UInt64 = 0
    /// In transparent or reserved huge pages.
    public var huge: UInt64 = 0
    /// Written since it was last on the disk; of anonymous memory all that was written.
    public var dirty: UInt64 = 0
    /// Pages of a private mapping of a file that were copied, because somebody wrote them.
    public var copied: UInt64 = 0

    /// Of the mappings that lie in `range`.
    public init(smaps: String, in range: Range<UInt64>) {
        var isInside = false
        var hasFile = false
        for line in smaps.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let name = fields.first else { continue }
            if name.last != ":" {  // "7f00-7f01 rw-p 00000000 00:00 0   [name]"
                let ends = name.split(separator: "-").map { UInt64($0, radix: 16) ?? 0 }
                isInside = ends.count == 2 && range.contains(ends[0]) && ends[1] <= range.upperBound
                hasFile = fields.count > 4 && fields[4] != "0"
            } else if isInside, fields.count > 1, let kibibytes = UInt64(fields[1]) {
                add(name, kibibytes << 10, hasFile)
            }
        }
    }

    private mutating func add(_ name: Substring, _ bytes: UInt64, _ hasFile: Bool) {
        switch name {
        case "Rss:": resident += bytes
        case "AnonHugePages:", "ShmemPmdMapped:", "FilePmdMapped:": huge += bytes
        case "Shared_Hugetlb:", "Private_Hugetlb:":  // not in Rss
            huge += bytes
            resident += bytes
        case "Shared_Dirty:", "Private_Dirty:": dirty += bytes
        case "Anonymous:" where hasFile: copied += bytes
        default: break
        }
    }
}
