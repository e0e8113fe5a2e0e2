// Why a backing cannot be had, with the numbers and with what to do about it.
//
// Read next: MemoryStore.swift.

import Host

/// An error of the host's memory or of a file for it.
public enum BackingError: Error, Equatable, Sendable {
    /// A system call failed.
    case call(String, errno: Int32)
    /// The file exists and is no regular file.
    case notRegular(String)
    /// The file exists and has another size than the machine's memory.
    case wrongSize(String, size: UInt64, needed: UInt64)
    /// Another machine uses the file.
    case inUse(String)
    /// The disk cannot hold the file.
    case noRoom(String, needed: UInt64, errno: Int32)
    /// `--mem-max` cannot be had.
    case maximum(UInt64)
    /// Memory is no multiple of 2 MiB.
    case unaligned(UInt64)
    /// Fewer huge pages than the machine needs.
    case hugePages(needed: UInt64, free: UInt64, reserved: UInt64)
    /// Huge pages are not in this kernel.
    case noHugePages
    /// Prefaulting would need more memory than the host has available.
    case notEnough(needed: UInt64, available: UInt64, limitedBy: String)
    /// Prefaulting failed half-way.
    case populate(errno: Int32)

    public var message: String {
        switch self {
        case .call(let call, let errno): return "--backing: \(call): \(errnoText(errno))"
        case .notRegular(let path): return "--backing file:\(path): not a regular file"
        case .wrongSize(let path, let size, let needed):
            return "--backing file:\(path): the file exists with \(size) bytes, and this machine needs \(needed): "
                + "remove it, or use another --mem"
        case .inUse(let path): return "--backing file:\(path): another machine uses this file"
        case .noRoom(let path, let needed, let errno):
            return "--backing file:\(path): no room for \(needed >> 20) MiB: \(errnoText(errno))"
        case .maximum(let size):
            return
                "--mem-max \(size >> 20) MiB: from --mem up to 1T and to what this CPU can address, both multiples of 2M"
        case .unaligned(let size):
            return "--backing hugetlb: memory of \(size >> 10) KiB is no multiple of the 2 MiB of a huge page"
        case .hugePages(let needed, let free, let reserved):
            return
                "--backing hugetlb needs \(needed) huge pages of 2 MiB, and this host has \(free) free of \(reserved) "
                + "reserved: sudo sysctl vm.nr_hugepages=\(reserved - min(free, reserved) + needed)"
        case .noHugePages: return "--backing hugetlb: this kernel has no huge pages (CONFIG_HUGETLBFS)"
        case .notEnough(let needed, let available, let limit):
            return "--prefault needs \(needed >> 20) MiB and \(available >> 20) MiB are available (\(limit)): "
                + "use a smaller --mem, or no --prefault"
        case .populate(let errno) where errno == invalid:
            return "--prefault needs Linux 5.14 or newer (MADV_POPULATE_WRITE)"
        case .populate(let errno): return "--prefault: \(errnoText(errno))"
        }
    }
}

private let invalid: Int32 = 22  // EINVAL
