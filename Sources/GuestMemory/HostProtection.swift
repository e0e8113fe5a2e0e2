// Host protection of guest memory: pages that a guest may not write although its own page tables let it.
//
// Solo5's hvt has W^X this way. An ordinary start never executes it, so it does not count to the core.
// Read next: VMM/Hvt/HvtMachine.swift.

import Glibc

extension GuestMemory {
    /// From now on the host backs a range by pages of 4 KiB (madvise(2), MADV_NOHUGEPAGE): where a guest touches a few, the
    /// zeroing of 2 MiB costs 0.15 ms for nothing.
    public func useSmallPages(_ range: Range<UInt64>) {
        guard let start = unsafe place(GuestAddress(range.lowerBound), UInt64(range.count)) else { return }
        _ = unsafe madvise(start, range.count, MADV_NOHUGEPAGE)
    }

    /// Makes whole pages read-only, for the guest and for us: a write of ours there would be a SIGSEGV, so whoever writes
    /// for a guest must know these ranges. 0 or errno.
    public func makeReadOnly(_ range: Range<UInt64>) -> Int32 {
        guard let start = unsafe place(GuestAddress(range.lowerBound), UInt64(range.count)) else { return EINVAL }
        return unsafe mprotect(start, range.count, PROT_READ) == 0 ? 0 : errno
    }

    /// Undoes it. 0 or errno.
    public func makeWritable(_ range: Range<UInt64>) -> Int32 {
        guard let start = unsafe place(GuestAddress(range.lowerBound), UInt64(range.count)) else { return EINVAL }
        return unsafe mprotect(start, range.count, PROT_READ | PROT_WRITE) == 0 ? 0 : errno
    }
}
