// Taking a file out of the page cache, so that its next reader is a cold one; and files without a name, on disk or in memory.
//
// For `swiftlet bench`. Read next: Process.swift.

import CHost
import Glibc

/// Pages of 4 KiB of a file: how many there are, and how many are in the page cache.
public struct CachedPages: Equatable, Sendable {
    public var cached: Int
    public var all: Int

    public init(cached: Int, all: Int) {
        self.cached = cached
        self.all = all
    }
}

extension File {
    /// Asks the kernel to drop the file's pages (posix_fadvise(2), POSIX_FADV_DONTNEED) and tells what is left. Pages that a
    /// process has mapped stay, and so do all of a file that is memory itself (tmpfs).
    public func dropFromPageCache() throws(HostError) -> CachedPages {
        fdatasync(fd)  // what waits to be written is not dropped
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED)
        return try cachedPages()
    }

    /// By mincore(2), which tells it to those who could write the file.
    public func cachedPages() throws(HostError) -> CachedPages {
        let size = Int(try size())
        if size == 0 { return CachedPages(cached: 0, all: 0) }
        guard let mapping = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, fd, 0), unsafe mapping != MAP_FAILED else {
            throw HostError("mmap", "", errno: errno)
        }
        defer { unsafe munmap(mapping, size) }
        var flags = [UInt8](repeating: 0, count: (size + 4095) / 4096)
        // Sound: a byte for each page of the mapping, which is never read.
        let result = unsafe flags.withUnsafeMutableBufferPointer { unsafe mincore(mapping, size, $0.baseAddress) }
        if result != 0 { throw HostError("mincore", "", errno: errno) }
        return CachedPages(cached: flags.count { $0 & 1 != 0 }, all: flags.count)
    }

    /// Whether the page at an offset is in the page cache; nil where the kernel does not tell.
    public func isCached(at offset: UInt64) -> Bool? {
        guard let place = off_t(exactly: offset & ~4095) else { return nil }
        guard let mapping = unsafe mmap(nil, 4096, PROT_READ, MAP_SHARED, fd, place), unsafe mapping != MAP_FAILED
        else {
            return nil
        }
        defer { unsafe munmap(mapping, 4096) }
        var flag: UInt8 = 0
        return unsafe mincore(mapping, 4096, &flag) == 0 ? flag & 1 != 0 : nil
    }

    /// A file in memory, `size` bytes of zeroes (memfd_create(2)), that has its name only in /proc. Other programs open it by
    /// `pathForOthers`.
    public static func memory(size: UInt64, name: String = "swiftlet") throws(HostError) -> File {
        let fd = unsafe name.withCString { unsafe chost_memfd($0) }
        if fd < 0 { throw HostError("memfd_create", "", errno: Int32(-fd)) }
        let file = File(owning: Int32(fd))
        try file.truncate(size)
        return file
    }

    /// A copy without a name, on a disk where there is one, that may be executed by `pathForOthers`: not open for writing.
    public static func copy(of path: String) throws(HostError) -> File {
        let original = try File.regular(path)
        let copy = try temporaryFile()
        try copy.write(try original.read(at: 0, Int(try original.size())), at: 0)
        fchmod(copy.fd, 0o700)
        return try File(copy.pathForOthers, .read)
    }

    /// By which a program of the same user opens it, as long as we have it open.
    public var pathForOthers: String { "/proc/\(getpid())/fd/\(fd)" }
}
