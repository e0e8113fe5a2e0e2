// Whether a disk holds writes that nobody has made permanent yet, and a flush that failed without anybody's being told.
//
// A write that the page cache took can still fail: on a full file system below a loop device, on a disk that breaks. The next
// fdatasync(2) says so, and only that. A guest that never flushes would not hear of it, so its machine flushes at the end
// where this says that there is something to flush. Read next: BlockDevice+Transfer.swift.

import Synchronization

/// Of one disk, for all threads that use it.
final class UnflushedWrites: Sendable {
    private let are = Atomic(false)
    private let failure = Atomic<Int32>(0)

    var areThere: Bool { are.load(ordering: .acquiring) }

    /// After a write, and after a flush that did not come to an end.
    func note() { are.store(true, ordering: .releasing) }

    /// Before a flush, which covers what was noted before; what is written meanwhile is noted anew.
    func beginFlush() { are.store(false, ordering: .sequentiallyConsistent) }

    /// A flush failed whose answer nobody can get any more: its guest has ended.
    func noteUntold(errno: Int32) { failure.store(errno, ordering: .releasing) }

    var untold: Int32? {
        let errno = failure.load(ordering: .acquiring)
        return errno == 0 ? nil : errno
    }
}
