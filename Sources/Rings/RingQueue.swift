// A ring's memory: indices and slots that a running guest writes at the same time.
//
// The rules, all kept here: a slot is copied out whole, each word loaded once, and only the copy is looked at; the indices
// that count are our own copies, the guest's are compared with them and never used to find a slot unmasked; whatever the
// guest writes, nothing outside the ring is touched. Read next: RingWork.swift.
//
// Fences: the acquiring load of a tail orders the slot's loads behind it, the releasing store of a tail orders the slot's
// stores before it (both are plain moves on x86). Going to sleep needs more: `needs_kick = 1`, then a look at the tail,
// against the guest's tail, then a look at `needs_kick`: both sides put a full fence between their two, or both could miss.

import CABI
import GuestMemory
import Synchronization

/// The host's side of a ring. Holds addresses, not the memory: it must not outlive its `GuestMemory`.
@safe public struct RingQueue: ~Copyable, @unchecked Sendable {
    private let base: UnsafeMutableRawPointer
    public let entries: UInt32
    /// Whether each entry has an answer, so that one is under way until the guest has taken that.
    private let answersAll: Bool
    private var submissionHead: UInt32 = 0
    /// The guest's tail when it was last looked at, and found true: its cache line is fetched once for all up to there.
    private var submissionTail: UInt32 = 0
    /// How many answers were given; the word in the ring says so when they are published, until the guest, or a disk for it,
    /// writes over it.
    public private(set) var completionTail: UInt32 = 0

    /// What the guest has for us.
    public enum Next: Equatable, Sendable {
        case nothing
        case entry(RingEntry)
        /// Its indices cannot be true: it holds more entries than there are slots, or has taken answers that were not given.
        case broken
    }

    private enum Word {
        static let submissionTail = 0
        static let completionHead = 4
        static let wantsInterrupt = 8
        static let submissionHead = 64
        static let completionTail = 68
        static let needsKick = 72
        static let submissions = Int(SWIFTLET_RING_SUBMISSIONS)
    }

    /// Nil when the number of entries is no power of two up to 4096, or its bytes are not memory, aligned to 64.
    public init?(
        _ memory: borrowing GuestMemory, at address: GuestAddress, entries: UInt32, answersAll: Bool = true
    ) {
        guard entries >= 2, entries <= UInt32(SWIFTLET_RING_ENTRIES_MAX), entries.nonzeroBitCount == 1,
            address.rawValue % 64 == 0,
            let base = unsafe memory.pointer(address, Self.size(entries: entries))
        else { return nil }
        unsafe self.base = base
        (self.entries, self.answersAll) = (entries, answersAll)
        for offset in [Word.submissionHead, Word.completionTail, Word.needsKick] { store(0, offset) }
    }

    /// SWIFTLET_RING_SIZE, a macro that Swift does not see.
    private static func size(entries: UInt32) -> UInt64 { UInt64(Word.submissions) + 48 * UInt64(entries) }

    private func load(_ offset: Int) -> UInt32 {
        // Sound: the offset is inside the ring, aligned to 4; Atomic<UInt32> has the layout of UInt32.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.load(ordering: .acquiring)
    }

    private func store(_ value: UInt32, _ offset: Int) {
        // Sound: as load.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self).pointee.store(value, ordering: .releasing)
    }

    /// A word of a slot, loaded once and never again.
    private func word(_ offset: Int) -> UInt64 {
        // Sound: the offset is inside the ring, aligned to 8.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .relaxed)
    }

    private func setWord(_ value: UInt64, _ offset: Int) {
        // Sound: as word.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(value, ordering: .relaxed)
    }

    /// For whoever only looks.
    public var view: RingView {
        // Sound: both offsets are inside the ring, aligned to 4.
        unsafe RingView(
            taken: (base + Word.completionHead).assumingMemoryBound(to: Atomic<UInt32>.self),
            given: (base + Word.completionTail).assumingMemoryBound(to: Atomic<UInt32>.self))
    }

    /// Whether the guest wants the ring's interrupt for answers that come now.
    public var wantsInterrupt: Bool { load(Word.wantsInterrupt) != 0 }

    public var hasWork: Bool { load(Word.submissionTail) != submissionHead }

    /// The next entry, which keeps its slot until `release`.
    public mutating func next() -> Next {
        if submissionHead == submissionTail {
            let tail = load(Word.submissionTail)
            if tail == submissionHead { return .nothing }
            guard tail &- submissionHead <= entries, isSane(tail) else { return .broken }
            submissionTail = tail
        }
        let slot = Word.submissions + Int(submissionHead & (entries - 1)) * 32
        let (first, buffer, third) = (word(slot), word(slot + 8), word(slot + 16))
        let offset = word(slot + 24)
        return .entry(
            RingEntry(
                operation: Int32(truncatingIfNeeded: first), device: UInt32(truncatingIfNeeded: first >> 32),
                buffer: buffer, length: UInt32(truncatingIfNeeded: third), id: UInt32(truncatingIfNeeded: third >> 32),
                offset: offset))
    }

    /// Gives the slot of the entry that `next` returned back: it is done, or kept.
    public mutating func release() {
        submissionHead &+= 1
    }

    /// Shows the guest what was released and answered. It looks at that cache line all the time, and for each of our stores it
    /// has to be fetched back, so several entries go by before one.
    public func publish() {
        store(submissionHead, Word.submissionHead)
        store(completionTail, Word.completionTail)
    }

    /// Where every entry has an answer, what is under way fits into the answers' slots.
    private func isSane(_ tail: UInt32) -> Bool {
        if !answersAll { return true }
        let taken = load(Word.completionHead)
        return tail &- taken <= entries && completionTail &- taken <= entries
    }

    /// Gives an answer. A guest that keeps no slot free for it overwrites what it has not read: its own loss.
    public mutating func answer(_ id: UInt32, _ answer: RingAnswer) {
        let slot = Word.submissions + Int(entries) * 32 + Int(completionTail & (entries - 1)) * 16
        setWord(UInt64(id) | UInt64(UInt32(bitPattern: answer.result)) << 32, slot)
        setWord(UInt64(answer.length), slot + 8)
        completionTail &+= 1
    }

    /// Whether the guest has not taken the answer before which so many were given.
    func isUntaken(_ number: UInt32) -> Bool { completionTail &- number <= completionTail &- load(Word.completionHead) }

    /// Says that we are about to sleep; false when there is work after all.
    public func maySleep() -> Bool {
        store(1, Word.needsKick)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if !hasWork { return true }
        store(0, Word.needsKick)
        return false
    }

    public func isAwake() { store(0, Word.needsKick) }
}

/// A look at a ring from another thread than the one that serves it. It must not outlive its `GuestMemory`.
@safe public struct RingView: @unchecked Sendable {
    fileprivate let taken: UnsafeMutablePointer<Atomic<UInt32>>
    fileprivate let given: UnsafeMutablePointer<Atomic<UInt32>>

    /// Whether there are answers that the guest has not taken.
    public var hasAnswers: Bool {
        unsafe taken.pointee.load(ordering: .acquiring) != given.pointee.load(ordering: .acquiring)
    }
}
