// The guest's memory in our address space, and the one gate through which every access passes.
//
// One reservation holds it all: host address = base + guest-physical address, so translation is an addition and host,
// slot and guest pages can all be huge. The ranges say which part of that space is memory; the rest (below 64 KiB, the
// hole under 4 GiB, what memory may still grow into) is address space that is never touched. It is anonymous memory
// until a store (Backing/MemoryStore) maps another over it. Read next: GuestAtomic.swift.

import Glibc
import Synchronization

/// Why there is no memory.
public enum GuestMemoryError: Error, Equatable, Sendable {
    /// mmap failed; the size in bytes, and errno.
    case mapping(UInt64, errno: Int32)
}

/// Guest-physical memory. The memory lives as long as this value does.
///
/// Several threads may hold copies of its contents' addresses (vCPUs, I/O): words that a running guest also writes are
/// accessed through `GuestAtomic`, everything else is copied out, then checked, then used.
@safe public struct GuestMemory: ~Copyable, @unchecked Sendable {
    /// The reservation: 2 MiB more on either side, less what alignment takes.
    private let start: UnsafeMutableRawPointer
    /// Where guest-physical 0 would lie.
    @usableFromInline let base: UnsafeMutableRawPointer
    /// Bytes of address space reserved.
    public let span: UInt64
    /// The memory below the hole under 4 GiB.
    public let low: Range<UInt64>
    @usableFromInline let highStart: UInt64
    @usableFromInline let highEnd: Atomic<UInt64>
    /// Which pages we write, while somebody wants to know.
    @usableFromInline let writes: WriteLog
    /// The memory from 4 GiB up; empty for small machines. Its end moves when memory grows.
    @inlinable
    public var high: Range<UInt64> {
        // Sound: it never ends before it starts.
        unsafe Range(uncheckedBounds: (highStart, highEnd.load(ordering: .acquiring)))
    }

    /// Reserves address space up to the end of memory, or to `limit` where memory shall be able to grow to that address;
    /// lazily backed, aligned to 2 MiB.
    public init(low: Range<UInt64>, high: Range<UInt64> = 0..<0, limit: UInt64 = 0) throws(GuestMemoryError) {
        let span = max(low.upperBound, high.upperBound, limit)
        let huge = 2 << 20
        guard let room = Int(exactly: span), room <= Int.max - 2 * huge else {
            throw GuestMemoryError.mapping(span, errno: ENOMEM)
        }
        // What lies before and behind the aligned part stays without access: nobody's mapping becomes one with ours, and
        // what runs over the end is a fault.
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let start = unsafe mmap(nil, room + 2 * huge, PROT_NONE, flags, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            throw GuestMemoryError.mapping(span, errno: errno)
        }
        let base = unsafe start + (huge - Int(bitPattern: start) & (huge - 1))
        guard unsafe mprotect(base, room, PROT_READ | PROT_WRITE) == 0 else {
            let failure = errno
            unsafe munmap(start, room + 2 * huge)
            throw GuestMemoryError.mapping(span, errno: failure)
        }
        unsafe (self.start, self.base) = (start, base)
        // The first 2 MiB hold image, stack and tables, of which a small guest touches a few pages: zeroing all of them
        // would cost more than its whole run. Beyond, huge pages: a guest that computes pays for TLB misses twice.
        if room > huge { unsafe madvise(base + huge, room - huge, MADV_HUGEPAGE) }
        self.span = span
        self.low = low
        highStart = high.lowerBound
        highEnd = Atomic(high.upperBound)
        writes = WriteLog(span: span)
    }

    deinit { unsafe munmap(start, Int(span) + 4 << 20) }

    /// From now on the host backs what it has not backed yet by pages of 4 KiB (madvise(2), MADV_NOHUGEPAGE).
    public func useSmallPages() { unsafe madvise(base, Int(span), MADV_NOHUGEPAGE) }

    /// The gate: the host address of `count` bytes of guest memory, or nil when any of them is not memory.
    ///
    /// The rule against overflow: the address must lie inside a range, and `count` must fit into what is left of that
    /// range; no sum is ever formed that could wrap.
    @inlinable
    func place(_ address: GuestAddress, _ count: UInt64) -> UnsafeMutableRawPointer? {
        let start = address.rawValue
        let range = start < low.upperBound ? low : high
        guard start >= range.lowerBound, start <= range.upperBound, count <= range.upperBound &- start else {
            return nil
        }
        // Sound: both ranges lie inside the mapping.
        return unsafe base + Int(truncatingIfNeeded: start)
    }

    /// The gate for who writes: the pages count as changed (WriteLog).
    @inlinable
    public func pointer(_ address: GuestAddress, _ count: UInt64) -> UnsafeMutableRawPointer? {
        guard let place = unsafe place(address, count) else { return nil }
        if writes.isOn { writes.note(address.rawValue, count) }
        return unsafe place
    }

    /// Whether all of a range is memory.
    @inlinable
    public func contains(_ address: GuestAddress, _ count: UInt64) -> Bool {
        unsafe place(address, count) != nil
    }

    /// Copies a value out; nil when it is not memory. The address may be unaligned.
    @inlinable
    public func read<T: BitwiseCopyable>(_ address: GuestAddress, as type: T.Type = T.self) -> T? {
        guard let pointer = unsafe place(address, UInt64(MemoryLayout<T>.size)) else { return nil }
        return unsafe pointer.loadUnaligned(as: T.self)
    }

    /// Copies a value in; false when it is not memory.
    @inlinable
    @discardableResult
    public func write<T: BitwiseCopyable>(_ value: T, at address: GuestAddress) -> Bool {
        guard let pointer = unsafe pointer(address, UInt64(MemoryLayout<T>.size)) else { return false }
        unsafe pointer.storeBytes(of: value, as: T.self)
        return true
    }

    /// Copies bytes out; nil when any of them is not memory.
    public func bytes(_ address: GuestAddress, _ count: Int) -> [UInt8]? {
        guard count >= 0, let pointer = unsafe place(address, UInt64(count)) else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: pointer, count: count))
    }

    /// Copies bytes in; false when they do not fit into memory.
    @discardableResult
    public func write(bytes: [UInt8], at address: GuestAddress) -> Bool {
        unsafe bytes.withUnsafeBytes { unsafe copy($0, to: address) }
    }

    /// Copies the UTF-8 of a text in, without a NUL; false when it does not fit into memory.
    @discardableResult
    public func write(text: String, at address: GuestAddress) -> Bool {
        var text = text
        return text.withUTF8 { unsafe copy(UnsafeRawBufferPointer($0), to: address) }
    }

    private func copy(_ source: UnsafeRawBufferPointer, to address: GuestAddress) -> Bool {
        guard let pointer = unsafe pointer(address, UInt64(source.count)) else { return false }
        unsafe UnsafeMutableRawBufferPointer(start: pointer, count: source.count).copyMemory(from: source)
        return true
    }

    /// Lends bytes to read from (a system call's source); nil when any of them is not memory. A running guest may change
    /// them meanwhile, so this is for passing on, never for checking.
    @inlinable
    public func withSpan<R>(_ address: GuestAddress, _ count: UInt64, _ body: (RawSpan) -> R) -> R? {
        guard let pointer = unsafe place(address, count) else { return nil }
        return body(unsafe UnsafeRawBufferPointer(start: pointer, count: Int(count)).bytes)
    }

    /// Lends bytes to write to; nil when any of them is not memory.
    @inlinable
    public func withMutableSpan<R>(_ address: GuestAddress, _ count: UInt64, _ body: (inout MutableRawSpan) -> R) -> R?
    {
        guard let pointer = unsafe pointer(address, count) else { return nil }
        var span = unsafe UnsafeMutableRawBufferPointer(start: pointer, count: Int(count)).mutableBytes
        return body(&span)
    }

    /// Memory now ends at `end`, inside the reservation: its backing and its slot must be there already.
    public func grow(to end: UInt64) {
        precondition(end >= high.upperBound && end <= span)
        highEnd.store(end, ordering: .releasing)
    }

    /// The host address of guest-physical 0, for memory slots.
    public var hostBase: UInt { unsafe UInt(bitPattern: base) }

    /// Access to pages of the mapping that are not guest memory but the machine's own (descriptor tables in a read-only
    /// slot). Nil outside the mapping.
    @inlinable
    public func machinePointer(_ address: UInt64, _ count: UInt64) -> UnsafeMutableRawPointer? {
        guard address <= span, count <= span - address else { return nil }
        return unsafe base + Int(address)
    }

    /// A page of guest memory, or of the machine's own below it.
    public func page(_ address: UInt64) -> [UInt8]? {
        let isMemory = contains(GuestAddress(address), 4096) || address < low.lowerBound
        guard isMemory, let pointer = unsafe machinePointer(address, 4096) else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: pointer, count: 4096))
    }

    /// Copies a value into a machine page.
    @inlinable
    public func writeMachine<T: BitwiseCopyable>(_ value: T, at address: UInt64) {
        guard let pointer = unsafe machinePointer(address, UInt64(MemoryLayout<T>.size)) else { return }
        unsafe pointer.storeBytes(of: value, as: T.self)
    }
}

/// Whether memory of ours is all zero. Its first byte is, and each is as the next: memcmp compares 32 at a time.
public func isZero(at address: UInt, _ count: Int) -> Bool {
    // Sound: callers take a whole page from the guest memory's gate, or one that they mapped.
    guard count > 0, let start = unsafe UnsafeRawPointer(bitPattern: address) else { return true }
    return unsafe start.load(as: UInt8.self) == 0 && memcmp(start, start + 1, count - 1) == 0
}
