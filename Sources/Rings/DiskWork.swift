// What a ring does at a disk beyond one system call after the other: reads that have to wait for the disk, and flushes, go
// into the disk's queue, and the ring goes on with what is behind them.
//
// A read from the page cache is quickest by pread(2), and asking first whether it is one costs a fifth of it. So while reads
// find what they want there, only some are asked; once one does not, all are, until a long row has again. The first ring
// whose guest makes its disk wait has the queue; others do one operation after the other. Read next: RingCrank.swift.

import CABI
import Devices
import Glibc
import GuestMemory
import Host

/// What a ring has under way at one disk. It must not outlive the guest's memory, which reads are on their way into: when it
/// goes, it waits for them.
struct DiskWork: Sendable {
    private let disk: BlockDevice
    private var queue: BlockQueue?
    /// There is none, or another ring has it: all is done by system call.
    private var isWithoutQueue = false
    /// Entries under way, by their tokens, and tokens that are free.
    private var entries: [RingEntry] = []
    private var free: [Int] = []
    /// Of the entries under way, how many are flushes: 0 or 1.
    private var flushes = 0
    /// What the queue gave back, and is then done by system call, in pieces: a signal came, or a rest remains.
    private(set) var interrupted: [RingEntry] = []
    /// Reads in a row that found all in the page cache.
    private var cachedReads = 0
    /// After so many, one of `stride` is asked.
    private static let (trusted, stride) = (256, 32)

    init(_ disk: BlockDevice) { self.disk = disk }

    /// What there is to wait for.
    var wait: WaitFor? {
        guard let queue, queue.underWay > 0 else { return nil }
        return WaitFor(queue.fd)
    }

    /// Whether there is something to do without waiting: whoever turns looks for a stop first.
    var isInterrupted: Bool { !interrupted.isEmpty }

    /// Does an entry or gets it under way; nil when it is for the way of all entries, by system call. Of a read whose
    /// beginning was in the page cache, the rest stays in the entry.
    mutating func start(_ entry: inout RingEntry, _ memory: borrowing GuestMemory) -> RingOutcome? {
        switch entry.operation {
        case SWIFTLET_BLOCK_READ:
            cachedReads += 1
            let isTrusted = cachedReads >= Self.trusted && cachedReads % Self.stride != 0
            if isTrusted || isWithoutQueue { return readAtOnce(entry, memory) }
            return readCached(&entry, memory)
        // Writes are the page cache's when they are answered, in order, so a flush covers every one before it, though what
        // is behind it goes on meanwhile.
        case SWIFTLET_BLOCK_FLUSH: return disk.isReadOnly || isWithoutQueue ? nil : submit(entry, memory)
        default: return nil
        }
    }

    /// The common case by the shortest way: a read of one piece that succeeds. What does not is read once more, the way of
    /// all entries, which says why.
    private func readAtOnce(_ entry: RingEntry, _ memory: borrowing GuestMemory) -> RingOutcome? {
        let (length, offset) = (UInt64(entry.length), entry.offset)
        guard length <= UInt64(BlockDevice.piece) else { return nil }
        let result = memory.withMutableSpan(entry.address, length) { disk.read(into: &$0, at: offset) }
        return result == .done ? .answer(.done) : nil
    }

    private mutating func readCached(_ entry: inout RingEntry, _ memory: borrowing GuestMemory) -> RingOutcome? {
        let (offset, length) = (entry.offset, UInt64(entry.length))
        // What is not memory, or not inside the disk, is said elsewhere.
        guard memory.contains(entry.address, length), disk.contains(offset, length) else { return nil }
        let piece = min(length, UInt64(BlockDevice.piece))
        let cached = memory.withMutableSpan(entry.address, piece) { disk.readCached(into: &$0, at: offset) } ?? 0
        entry.advance(UInt32(cached))
        if entry.length == 0 { return .answer(.done) }
        if cached == piece { return .interrupted }
        cachedReads = 0
        return submit(entry, memory)
    }

    private mutating func submit(_ entry: RingEntry, _ memory: borrowing GuestMemory) -> RingOutcome? {
        queue = queue ?? disk.takeQueue()
        guard let queue else {
            isWithoutQueue = true
            return nil
        }
        if queue.isFull { return .waits(WaitFor(queue.fd)) }
        let token = free.popLast() ?? entries.count
        if token == entries.count { entries.append(entry) } else { entries[token] = entry }
        let isFlush = entry.operation == SWIFTLET_BLOCK_FLUSH
        let outcome = isFlush ? flush(queue, token) : read(queue, token, memory) ? RingOutcome.underWay : nil
        if case .underWay? = outcome { return outcome }
        free.append(token)
        return outcome
    }

    /// There is one flush at a time (UnflushedWrites.swift). Behind one of its own the ring waits; another ring, or a call,
    /// does not tell when it is done, and the system call's way looks again and again.
    private mutating func flush(_ queue: BlockQueue, _ token: Int) -> RingOutcome? {
        switch queue.flush(token: token) {
        case .begun:
            flushes += 1
            return .underWay
        case .busy where flushes > 0: return .waits(WaitFor(queue.fd))
        case .busy, .impossible: return nil
        }
    }

    /// Whether the token's entry is under way.
    private func read(_ queue: BlockQueue, _ token: Int, _ memory: borrowing GuestMemory) -> Bool {
        let entry = entries[token]
        return memory.withMutableSpan(entry.address, UInt64(entry.length)) {
            queue.read(into: &$0, at: entry.offset, token: token)
        } ?? false
    }

    /// At the end: an operation failed, or was left undone, whose answer the guest does not get.
    func noteUntold(errno: Int32) { disk.noteUntold(errno: errno) }

    /// The next entry that is done, with its answer; nil also after a signal.
    mutating func finish(_ memory: borrowing GuestMemory) -> (entry: RingEntry, answer: RingAnswer)? {
        guard let next = next(memory) else { return nil }
        var entry = next.entry
        let outcome = next.result ?? entry.perform(on: disk, memory) ?? .failed(errno: EFAULT)
        if outcome == .interrupted {
            interrupted.append(entry)
            return nil
        }
        return (entry, RingAnswer(outcome.code))
    }

    /// An entry that ended, and how; nil: the queue could not do it. A read of which a part came goes on.
    private mutating func next(_ memory: borrowing GuestMemory) -> (entry: RingEntry, result: BlockResult?)? {
        if let entry = interrupted.popLast() { return (entry, nil) }
        while let queue, let (token, result) = queue.take() {
            var entry = entries[token]
            if entry.operation == SWIFTLET_BLOCK_FLUSH { flushes -= 1 }
            if entry.operation == SWIFTLET_BLOCK_READ, result > 0 {
                entry.advance(UInt32(result))
                entries[token] = entry
                if entry.length > 0, read(queue, token, memory) { continue }
            }
            free.append(token)
            return (entry, outcome(entry, result))
        }
        return nil
    }

    /// Nil where the kernel was short of memory or threads, or a signal came first. A flush that failed is never done again:
    /// the second would succeed.
    private func outcome(_ entry: RingEntry, _ result: Int32) -> BlockResult? {
        switch result {
        case 1... where entry.length > 0, -EINTR, -ECANCELED: nil
        case -EAGAIN where entry.operation == SWIFTLET_BLOCK_READ: nil
        case 1...: .done
        // Of a read: a file that somebody shortened.
        case 0: entry.operation == SWIFTLET_BLOCK_READ ? .failed(errno: EIO) : .done
        default: .failed(errno: -result)
        }
    }
}

extension RingEntry {
    var address: GuestAddress { GuestAddress(buffer) }

    /// So many bytes of it are done.
    mutating func advance(_ bytes: UInt32) {
        buffer &+= UInt64(bytes)
        offset &+= UInt64(bytes)
        length -= bytes
    }
}
