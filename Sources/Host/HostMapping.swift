// A stretch of memory of each kind that a guest's could be made of: what `swiftlet bench memory` measures.
//
// Aligned to 2 MiB, so that only the kind decides which pages the kernel uses. Machines have GuestMemory instead.
// Read next: FlatCode.swift.

import CHost
import Glibc

/// An owned mapping, given back when it goes out of scope.
@safe public struct HostMapping: ~Copyable, @unchecked Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// Anonymous, in pages of 4 KiB.
        case anonymous
        /// Anonymous, in huge pages where the kernel has them at once.
        case transparentHuge
        /// A shared memory file.
        case memfd
        /// From the huge pages that an administrator has set aside.
        case hugetlb
        /// A file whose content is in the page cache, shared.
        case sharedFile
        /// The same, private: a write makes a copy.
        case privateFile
        /// A private mapping of a memory file that has content: what clones share.
        case copyOnWrite

        var isHuge: Bool { self == .transparentHuge || self == .hugetlb }
    }

    private let start: UnsafeMutableRawPointer
    public let size: Int

    public var address: UInt { unsafe UInt(bitPattern: start) }

    /// `size` is a multiple of 4 KiB, for `hugetlb` of 2 MiB.
    ///
    /// - Throws: ENOMEM from mmap when there are no huge pages left, or no address space.
    public init(_ kind: Kind, size: Int) throws(HostError) {
        let start = unsafe try reserve(size)
        let failure = unsafe place(kind, at: start, size)
        if let failure {
            unsafe munmap(start, size)
            throw failure
        }
        unsafe self.start = start
        self.size = size
    }

    deinit { unsafe munmap(start, size) }

    /// Maps all pages, as a first touch by this process would.
    ///
    /// - Throws: EINVAL before Linux 5.14 (madvise(2), MADV_POPULATE_WRITE).
    public func populate() throws(HostError) {
        let populateWrite: Int32 = 23
        if unsafe madvise(start, size, populateWrite) != 0 {
            throw HostError("madvise", "MADV_POPULATE_WRITE", errno: errno)
        }
    }

    /// Gives pages back: of a private file mapping the next touch finds the file's content again (madvise(2), MADV_DONTNEED).
    public func discard(_ pages: Range<Int>) throws(HostError) {
        precondition(pages.lowerBound >= 0 && pages.upperBound <= size / 4096)
        if unsafe madvise(start + pages.lowerBound * 4096, pages.count * 4096, MADV_DONTNEED) != 0 {
            throw HostError("madvise", "MADV_DONTNEED", errno: errno)
        }
    }

    /// Overwrites a page by the same of another mapping.
    public func copyPage(_ page: Int, from other: borrowing HostMapping) {
        precondition(page >= 0 && page < size / 4096 && page < other.size / 4096)
        unsafe memcpy(start + page * 4096, other.start + page * 4096, 4096)
    }

    /// An 8-byte word; `offset` must lie inside, or it is a mistake of ours: it traps.
    public func load(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= size - 8)
        return unsafe start.load(fromByteOffset: offset, as: UInt64.self)
    }

    public func store(_ value: UInt64, at offset: Int) {
        precondition(offset >= 0 && offset <= size - 8)
        unsafe start.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
    }

    /// Bytes in anonymous huge pages; the kernel's huge page of zeros, which reading maps, is none (proc(5), `AnonHugePages`).
    public func hugeBytes() throws(HostError) -> Int {
        try Self.hugeBytes(in: address..<address + UInt(size))
    }

    /// The same of any range of this process's memory.
    public static func hugeBytes(in range: Range<UInt>) throws(HostError) -> Int {
        let areas = String(decoding: try File.regular("/proc/self/smaps").read(at: 0, 1 << 22), as: UTF8.self)
        return min(range.count, hugeBytes(of: range, in: areas))
    }

    /// The sum over all areas of smaps that the range touches.
    static func hugeBytes(of range: Range<UInt>, in areas: String) -> Int {
        var isOurs = false
        var kilobytes = 0
        for line in areas.split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            if bounds.count == 2 {
                isOurs = bounds[0] < range.upperBound && bounds[1] > range.lowerBound
            } else if isOurs, fields[0] == "AnonHugePages:", fields.count > 1 {
                kilobytes += Int(fields[1]) ?? 0
            }
        }
        return kilobytes * 1024
    }

    /// Which pages of 4 KiB are in memory; of a file, whoever's they are (mincore(2)).
    public func residentPages() -> [Int] {
        var flags = [UInt8](repeating: 0, count: (size + 4095) / 4096)
        unsafe flags.withUnsafeMutableBufferPointer { _ = unsafe mincore(start, size, $0.baseAddress) }
        return flags.indices.filter { flags[$0] & 1 != 0 }
    }
}

/// Address space, aligned to 2 MiB.
private func reserve(_ size: Int) throws(HostError) -> UnsafeMutableRawPointer {
    let huge = 2 << 20
    let room = unsafe mmap(nil, size + huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let room = unsafe room, unsafe room != MAP_FAILED else { throw HostError("mmap", "", errno: errno) }
    let before = (huge - Int(bitPattern: room) & (huge - 1)) & (huge - 1)
    if before > 0 { unsafe munmap(room, before) }
    unsafe munmap(room + before + size, huge - before)
    return unsafe room + before
}

/// Puts memory of that kind there.
private func place(_ kind: HostMapping.Kind, at start: UnsafeMutableRawPointer, _ size: Int) -> HostError? {
    do throws(HostError) {
        if let file = try kind.open(size) { return unsafe map(kind, at: start, size, file.fd) }
        return unsafe map(kind, at: start, size, nil)
    } catch { return error }
}

private func map(_ kind: HostMapping.Kind, at start: UnsafeMutableRawPointer, _ size: Int, _ fd: Int32?) -> HostError? {
    let isShared = kind == .memfd || kind == .sharedFile
    let sharing = (isShared ? MAP_SHARED : MAP_PRIVATE) | (fd == nil ? MAP_ANONYMOUS : 0)
    let pages = kind == .hugetlb ? hugePagesFlag : MAP_NORESERVE
    // Sound: the range is our own reservation.
    let result = unsafe mmap(start, size, PROT_READ | PROT_WRITE, MAP_FIXED | sharing | pages, fd ?? -1, 0)
    if unsafe result == MAP_FAILED { return HostError("mmap", "", errno: errno) }
    if kind != .hugetlb { unsafe madvise(start, size, kind.isHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) }
    return nil
}

/// MAP_HUGETLB (mmap(2)), which Swift does not see.
private let hugePagesFlag: Int32 = 0x40000

extension HostMapping.Kind {
    /// The file behind it; nil when there is none.
    fileprivate func open(_ size: Int) throws(HostError) -> File? {
        switch self {
        case .anonymous, .transparentHuge, .hugetlb: return nil
        case .memfd, .copyOnWrite:
            let file = try File.memory(size: self == .memfd ? UInt64(size) : 0)
            if self == .copyOnWrite { try fill(file, size) }
            return file
        case .sharedFile, .privateFile:
            let file = try temporaryFile()
            try fill(file, size)
            return file
        }
    }
}

/// A file without a name, on a disk where there is one: /tmp often is memory.
func temporaryFile() throws(HostError) -> File {
    var error = HostError("open", "/var/tmp", errno: ENOENT)
    for folder in ["/var/tmp", "/tmp", "/"] {
        let fd = unsafe folder.withCString { unsafe chost_temporary($0) }
        if fd >= 0 { return File(owning: Int32(fd)) }
        error = HostError("open", folder, errno: Int32(-fd))
    }
    throw error
}

/// Content, so that its pages are in the page cache.
private func fill(_ file: borrowing File, _ size: Int) throws(HostError) {
    let piece = [UInt8](repeating: 0x5a, count: 1 << 20)
    for offset in stride(from: 0, to: size, by: piece.count) {
        try file.write(Array(piece.prefix(size - offset)), at: UInt64(offset))
    }
}
