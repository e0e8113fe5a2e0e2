// `--prefault`: every page of guest memory is there before the guest starts, so that no touch of it costs a fault here.
//
// Several threads, because zeroing is what it costs. KVM still maps each page at its first touch.
// Read next: MemoryReport.swift.

import CBacking
import Glibc
import GuestMemory
import Host
import Synchronization

/// Populates memory.
public struct Prefault: Sendable {
    /// Threads at work; never more than there are pieces.
    private let threads: Int
    private let bytes: UInt64
    private let pieces: [Range<UInt>]

    public static let usage = "threads, 1 to 1024"

    /// The value of `--prefault`: 0, one thread for each CPU, without one; nil for what is no number of threads.
    public static func threads(_ text: String?) -> Int? {
        guard let text else { return 0 }
        return Int(text).flatMap { (1...1024).contains($0) ? $0 : nil }
    }

    /// Bytes for each turn: what a stop or a progress line waits for.
    private static let piece: UInt64 = 32 << 20

    /// Plans it, and checks that the host has the memory; `threads` 0 is one for each CPU that this process may use.
    public init(
        _ memory: borrowing GuestMemory, backing: Backing, threads: Int, room: Room? = Room.now()
    ) throws(BackingError) {
        var pieces: [Range<UInt>] = []
        for range in [memory.low, memory.high] {
            for start in stride(from: range.lowerBound & ~(hugePageSize - 1), to: range.upperBound, by: Int(Self.piece))
            {
                let piece = max(start, range.lowerBound)..<min(start + Self.piece, range.upperBound)
                pieces.append(memory.hostBase + UInt(piece.lowerBound)..<memory.hostBase + UInt(piece.upperBound))
            }
        }
        self.pieces = pieces
        bytes = UInt64(pieces.reduce(0) { $0 + $1.count })
        self.threads = max(1, min(threads == 0 ? allowedCPUs().count : threads, pieces.count))
        // Huge pages were reserved by mmap; everything else is taken from what is free.
        if backing != .hugetlb, let room, room.bytes < bytes {
            throw .notEnough(needed: bytes, available: room.bytes, limitedBy: room.limitedBy)
        }
    }

    /// Populates; says how far it is once a second on standard error, unless `quiet`. A stop signal ends it early: whoever
    /// runs the machine then finds the signal waiting.
    public func run(quiet: Bool) throws(BackingError) {
        let work = try Work(pieces)
        let start = Clock.monotonic()
        var nextLine: UInt64 = 1_000_000_000
        let threads = threads
        guard let first = try? Thread({ work.run(threads: threads) }) else { return work.run(threads: 1) }
        while !wait(for: WaitFor(work.done.reader), nanoseconds: Self.look).0 {
            if cbacking_stop_pending() != 0 { work.stop() }
            let passed = Clock.monotonic() - start
            if quiet || passed < nextLine { continue }
            writeText("swiftlet: prefault: \(work.bytes >> 20) of \(bytes >> 20) MiB\n")
            nextLine += 1_000_000_000
        }
        first.join()
        if work.failure != 0 { throw .populate(errno: work.failure) }
    }

    /// Nanoseconds between two looks at signals and clock; the end of the work is seen at once.
    private static let look: UInt64 = 100_000_000
}

/// What the threads share: the next piece, what is done, the first failure.
private final class Work: Sendable {
    private let pieces: [Range<UInt>]
    private let next = Atomic<Int>(0)
    private let populated = Atomic<UInt64>(0)
    private let error = Atomic<Int32>(0)
    /// Readable when all threads have ended.
    let done: Pipe

    init(_ pieces: [Range<UInt>]) throws(BackingError) {
        self.pieces = pieces
        do throws(HostError) { done = try Pipe() } catch { throw .call(error.call, errno: error.errno) }
    }

    var bytes: UInt64 { populated.load(ordering: .relaxed) }
    var failure: Int32 { error.load(ordering: .relaxed) }
    func stop() { next.store(pieces.count, ordering: .relaxed) }

    func run(threads: Int) {
        help(threads: threads)
        done.write([1])
    }

    /// Each thread starts the next one and waits for it, so that none is forgotten.
    private func help(threads: Int) {
        var helper = threads > 1 ? try? Thread { self.help(threads: threads - 1) } : nil
        while failure == 0, let piece = take() { populate(piece) }
        helper.take()?.join()
    }

    private func take() -> Range<UInt>? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < pieces.count ? pieces[index] : nil
    }

    private func populate(_ piece: Range<UInt>) {
        // Sound: the piece is guest memory, which lives longer than the call that waits for us.
        let start = unsafe UnsafeMutableRawPointer(bitPattern: piece.lowerBound)
        var result = unsafe cbacking_populate(start, UInt64(piece.count))
        while result == -Int(EINTR) { result = unsafe cbacking_populate(start, UInt64(piece.count)) }
        if result < 0 { error.store(Int32(-result), ordering: .relaxed) }
        populated.wrappingAdd(UInt64(piece.count), ordering: .relaxed)
    }
}
