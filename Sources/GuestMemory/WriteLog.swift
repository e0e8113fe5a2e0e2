// Which pages of guest memory we may have written ourselves: what KVM's dirty log does not see.
//
// Off until somebody saves increments (Snapshot/SnapshotSeries). It is kept at the gate: who gets an address to write to has
// its pages noted, before the write, and cannot forget it. Only what holds an address for long is not noted again: GuestWindow
// and GuestAtomic in the vCPU area, which every increment has, and rings, whose machines are never saved.
// Read next: GuestAtomic.swift.

import Glibc
import Synchronization

/// A bit for each page of the address space.
@safe public struct WriteLog: ~Copyable, @unchecked Sendable {
    /// Where its words are; 0 while it is off.
    @usableFromInline let bitmap = Atomic<UInt>(0)
    private let words: Int

    /// Of `span` bytes.
    init(span: UInt64) { words = Int((span + 0x3ffff) >> 18) }

    deinit {
        // Without a log there is nothing to unmap: at address 0 munmap(2) would take what lies behind it, which of a program
        // without PIE is the program.
        guard isOn else { return }
        // Sound: `start` has mapped that many words there.
        unsafe munmap(UnsafeMutableRawPointer(bitPattern: bitmap.load(ordering: .relaxed)), words * 8)
    }

    @inlinable
    var isOn: Bool { bitmap.load(ordering: .relaxed) != 0 }

    /// From here on writes are noted; false when there is no memory for it.
    func start() -> Bool {
        if isOn { return true }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let place = unsafe mmap(nil, words * 8, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let place = unsafe place, unsafe place != MAP_FAILED else { return false }
        bitmap.store(UInt(bitPattern: place), ordering: .releasing)
        return true
    }

    private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        // Sound: `start` has mapped that many words; Atomic<UInt64> has the layout of UInt64.
        unsafe UnsafeMutablePointer(bitPattern: bitmap.load(ordering: .acquiring)).map { unsafe $0 + index }
    }

    /// Any thread may.
    @usableFromInline
    func note(_ start: UInt64, _ count: UInt64) {
        guard count > 0, start <= .max - count else { return }
        let last = min((start + count - 1) >> 12, UInt64(words) << 6 - 1)
        for page in Swift.stride(from: start >> 12, through: last, by: 1) {
            unsafe word(Int(page >> 6))?.pointee.bitwiseOr(1 << (page & 63), ordering: .relaxed)
        }
    }

    /// Gives the numbers of the pages noted since the last time.
    func take(_ body: (UInt64) -> Void) {
        for index in 0..<words {
            guard let word = unsafe word(index), unsafe word.pointee.load(ordering: .relaxed) != 0 else { continue }
            var bits = unsafe word.pointee.exchange(0, ordering: .acquiringAndReleasing)
            while bits != 0 {
                body(UInt64(index) << 6 + UInt64(bits.trailingZeroBitCount))
                bits &= bits - 1
            }
        }
    }
}

extension GuestMemory {
    /// From here on the pages that we write are noted; false when the host has no memory for that.
    public func startWriteLog() -> Bool { writes.start() }

    /// Numbers of the pages that we may have written since the last time.
    public func takeWriteLog(_ body: (UInt64) -> Void) { writes.take(body) }
}
