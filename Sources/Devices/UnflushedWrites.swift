// What a disk's flushes must know of each other: whether there is anything to flush, and which errors somebody has to hear yet.
//
// A write that the page cache took can still fail: on a full file system below a loop device, on a disk that breaks. The next
// fdatasync(2) says so, and only that, once for an open file (fsync(2)). So there is one at a time, whoever asks for it, a
// ring or a call, and where one fails, those who may have needed its answer get the error too: who waited for it, and who
// flushes next when there were writes meanwhile. A guest that never flushes would not hear of it at all, so its machine
// flushes at the end where this says that there is something to flush. Read next: BlockDevice+Transfer.swift.

import Synchronization

/// Of one disk, for all threads that use it.
final class UnflushedWrites: Sendable {
    private let are = Atomic(false)
    private let flushes = Mutex(Flushes())

    private struct Flushes {
        var isUnderWay = false
        /// Somebody wanted to flush meanwhile.
        var isAwaited = false
        /// An error that the next flush tells, though its own system call does not.
        var owed: Int32?
        /// An error that nobody can be told, for the guest has ended.
        var untold: Int32?
    }

    var areThere: Bool { are.load(ordering: .acquiring) }

    /// After a write.
    func note() { are.store(true, ordering: .releasing) }

    /// Before a flush, which covers what was noted before; what is written meanwhile is noted anew. False while another is
    /// under way: try again when it is done.
    func beginFlush() -> Bool {
        let begins = flushes.withLock { state in
            if state.isUnderWay { state.isAwaited = true } else { (state.isUnderWay, state.isAwaited) = (true, false) }
            return !state.isAwaited
        }
        if begins { are.store(false, ordering: .sequentiallyConsistent) }
        return begins
    }

    /// After a flush: the error that its asker is to hear, of its own system call (0: none) or owed.
    func endFlush(errno: Int32) -> Int32 {
        flushes.withLock { state in
            let error = errno != 0 ? errno : state.owed ?? 0
            state.owed = error != 0 && (state.isAwaited || areThere) ? error : nil
            state.isUnderWay = false
            return error
        }
    }

    /// It has neither flushed nor failed: a signal came first, or it never began.
    func breakFlush() {
        note()
        flushes.withLock { $0.isUnderWay = false }
    }

    /// An operation failed, or was not done, and nobody can be told: the guest has ended.
    func noteUntold(errno: Int32) { flushes.withLock { $0.untold = $0.untold ?? errno } }

    var untold: Int32? { flushes.withLock { $0.untold ?? $0.owed } }
}
