// Guest memory in a descriptor (memfd, huge pages, a file), mapped over GuestMemory's reservation.
//
// The rule of places: byte n of the machine's memory is byte n of the file. So a guest-physical address below the hole is
// its own offset, and from 4 GiB on the offset goes on where low memory ended. The machine's pages and the first 64 KiB
// are in it too: a huge page has no holes. Read next: MemoryFile.swift, Prefault.swift.

import CBacking
import Glibc
import GuestMemory
import Host

/// The descriptor and what is mapped of it. Lives as long as the machine.
public final class MemoryStore: Sendable {
    public let backing: Backing
    private let file: File
    /// Where low memory ends, in the guest and in the file.
    private let lowEnd: UInt64
    private let highStart: UInt64
    /// Nil where no page can be lost.
    private let watch: BusErrorWatch?

    /// Opens the store and maps it under all of `memory`; nil for anonymous memory, which needs none.
    public static func open(
        _ backing: Backing, for memory: borrowing GuestMemory
    ) throws(BackingError) -> MemoryStore? {
        switch backing {
        case .anonymous: return nil
        case .transparentHuge:
            // Beyond the first 2 MiB they are huge already. Refused by a kernel without them, which does no harm.
            let start = unsafe UnsafeMutableRawPointer(bitPattern: memory.hostBase)
            unsafe madvise(start, Int(min(hugePageSize, memory.span)), MADV_HUGEPAGE)
            return nil
        case .memfd, .hugetlb, .file: return try MemoryStore(backing, memory)
        }
    }

    private init(_ backing: Backing, _ memory: borrowing GuestMemory) throws(BackingError) {
        self.backing = backing
        lowEnd = memory.low.upperBound
        highStart = memory.high.lowerBound
        let size = memory.low.upperBound + UInt64(memory.high.count)
        if backing == .hugetlb, size % hugePageSize != 0 { throw .unaligned(size) }
        let limit = memory.high.lowerBound > 0 ? memory.span - memory.high.lowerBound + lowEnd : size
        file = try Self.open(backing, size, limit: limit)
        watch = backing == .memfd ? nil : try BusErrorWatch(memory)
        try map(0..<lowEnd, memory)
        if !memory.high.isEmpty { try map(memory.high, memory) }
    }

    private static func open(_ backing: Backing, _ size: UInt64, limit: UInt64) throws(BackingError) -> File {
        if let path = backing.path { return try openMemoryFile(path, size: size, limit: limit) }
        let fd = cbacking_memfd(backing == .hugetlb ? 1 : 0)
        if fd < 0, backing == .hugetlb, fd != -Int(EMFILE) { throw .noHugePages }
        if fd < 0 { throw .call("memfd_create", errno: Int32(-fd)) }
        let file = File(owning: Int32(fd))
        if ftruncate(file.fd, off_t(size)) != 0 { throw .call("ftruncate", errno: errno) }
        return file
    }

    private func offset(_ address: UInt64) -> UInt64 { address < lowEnd ? address : address - highStart + lowEnd }

    private func map(_ range: Range<UInt64>, _ memory: borrowing GuestMemory) throws(BackingError) {
        let target = unsafe UnsafeMutableRawPointer(bitPattern: memory.hostBase + UInt(range.lowerBound))
        // Sound: the range lies inside the reservation, which is this memory's own.
        let place = unsafe mmap(
            target, range.count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file.fd,
            off_t(offset(range.lowerBound)))
        if unsafe place == MAP_FAILED {
            if backing == .hugetlb, errno == ENOMEM { throw HugePages.refusal(size: UInt64(range.count)) }
            throw .call("mmap", errno: errno)
        }
        // Huge pages of a memfd are up to shmem_enabled (Linux, Documentation/admin-guide/mm/transhuge.rst).
        if backing == .memfd { unsafe madvise(target, range.count, MADV_HUGEPAGE) }
    }

    /// Makes the file longer and maps the new range, which begins where memory ends.
    public func extend(_ memory: borrowing GuestMemory, by range: Range<UInt64>) throws(BackingError) {
        let size = offset(range.upperBound)
        if let path = backing.path {
            try reserve(file, path, size)
        } else if ftruncate(file.fd, off_t(size)) != 0 {
            throw .call("ftruncate", errno: errno)
        }
        try map(range, memory)
    }

    /// Gives pages back to the host: they read as zeros afterwards. 0 or errno; EINVAL when any of them is not memory.
    ///
    /// `isMapped`: a file may lie under them copy-on-write (a snapshot's, an image's text), and would come back.
    public static func release(
        _ address: GuestAddress, _ count: UInt64, of memory: borrowing GuestMemory, in store: MemoryStore?,
        isMapped: Bool = false
    ) -> Int32 {
        guard let start = unsafe memory.pointer(address, count) else { return EINVAL }  // noted as written, which it is
        if let store { return store.release(address, count, of: memory) }
        if isMapped { return unsafe replace(start, address.rawValue, count) }
        return unsafe madvise(start, Int(count), MADV_DONTNEED) == 0 ? 0 : errno
    }

    /// Maps anonymous memory there, huge where GuestMemory has it so.
    private static func replace(_ start: UnsafeMutableRawPointer, _ address: UInt64, _ count: UInt64) -> Int32 {
        if count == 0 { return 0 }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED
        // Sound: the gate has granted the range; one system call, so that no other mapping can get in between.
        let place = unsafe mmap(start, Int(count), PROT_READ | PROT_WRITE, flags, -1, 0)
        if unsafe place == MAP_FAILED {
            if errno != ENOMEM { return errno }
            unsafe memset(start, 0, Int(count))  // more mappings than vm.max_map_count: they are zeros all the same
            return 0
        }
        let small = Int(min(hugePageSize - min(address, hugePageSize), count))
        if small < Int(count) { unsafe madvise(start + small, Int(count) - small, MADV_HUGEPAGE) }
        return 0
    }

    private func release(_ address: GuestAddress, _ count: UInt64, of memory: borrowing GuestMemory) -> Int32 {
        guard memory.contains(address, count) else { return EINVAL }
        if count == 0 { return 0 }  // of which fallocate(2) would complain
        let range = address.rawValue..<address.rawValue + count
        if backing != .hugetlb { return drop(range, memory) }
        // A page of 2 MiB goes as a whole; the ragged ends are zeroed.
        let first = min((range.lowerBound + hugePageSize - 1) & ~(hugePageSize - 1), range.upperBound)
        let last = max(range.upperBound & ~(hugePageSize - 1), first)
        zero(range.lowerBound..<first, memory)
        zero(last..<range.upperBound, memory)
        return first == last ? 0 : drop(first..<last, memory)
    }

    private func drop(_ range: Range<UInt64>, _ memory: borrowing GuestMemory) -> Int32 {
        let count = UInt64(range.count)
        // A file keeps its blocks, so that a full disk cannot take away what the guest was given.
        var result = backing.path == nil ? -Int(EOPNOTSUPP) : cbacking_zero(file.fd, offset(range.lowerBound), count)
        if result < 0 { result = cbacking_punch(file.fd, offset(range.lowerBound), count) }
        if result == -Int(EOPNOTSUPP) {
            zero(range, memory)
            return 0
        }
        return Int32(-result)
    }

    private func zero(_ range: Range<UInt64>, _ memory: borrowing GuestMemory) {
        guard let start = unsafe memory.pointer(GuestAddress(range.lowerBound), UInt64(range.count)) else { return }
        unsafe memset(start, 0, range.count)
    }

    /// Whether we read a page of a file that was no longer there.
    public var pageWasLost: Bool { watch?.sawLoss == true }

    /// Whether pages of it were lost: somebody cut the file short, or its disk failed. Nobody can cut a memfd of ours.
    public func lostPages(_ memory: borrowing GuestMemory) -> Bool {
        if pageWasLost { return true }
        guard backing.path != nil, let size = try? file.size() else { return false }
        return size < (memory.high.isEmpty ? lowEnd : offset(memory.high.upperBound))
    }
}
