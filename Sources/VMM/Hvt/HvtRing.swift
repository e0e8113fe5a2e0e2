// hvt's network ring: its words and slots in guest memory, and what becomes of an entry.
//
//   0 tail, 4 taken | 64 head, 68 completed, 72 needs_kick | 128 1024 submissions of 32 bytes | 32896 1024 completions of 16
//
// The first line is the unikernel's to write, the second ours. Every word of the unikernel's is hostile: a slot is copied
// out whole and then checked, and the positions that count are our own copies. The layout is Solo5's hvt_ring.h.
// Read next: HvtRingThread.swift.

import Devices
import Glibc
import GuestMemory
import Synchronization

/// struct hvt_ring_entry
struct HvtRingEntry: BitwiseCopyable {
    enum Operation {
        static let write: UInt32 = 1
        static let read: UInt32 = 2
    }

    var operation: UInt32
    var handle: UInt32
    var data: UInt64
    var length: UInt32
    var id: UInt32
    var reserved: UInt64 = 0
}

/// struct hvt_ring_commit
struct HvtRingCompletion: BitwiseCopyable {
    var id: UInt32
    var result: Int32
    var length: UInt32 = 0
    var reserved: UInt32 = 0
}

/// Our side of a ring. It must not outlive its memory.
struct HvtRing: ~Copyable {
    static let slots: UInt32 = 1024
    static let port: UInt16 = 0x600
    enum Offset {
        static let (tail, head, completed, needsKick): (UInt64, UInt64, UInt64, UInt64) = (0, 64, 68, 72)
        static let (submissions, completions): (UInt64, UInt64) = (128, 128 + 32 * 1024)
    }

    /// Why no more can be done for now, or ever.
    enum Turn: Equatable {
        case busy
        case idle
        /// The interface has no room: the entry is tried again when it has.
        case full(fd: Int32)
        case ended(HvtRingEnd)
    }

    private let start: UInt64
    private let tail, toldHead, toldCompleted, needsKick: GuestAtomic
    private var (head, completed): (UInt32, UInt32) = (0, 0)

    /// Nil when there is no memory at its place.
    init?(_ memory: borrowing GuestMemory, at start: UInt64) {
        func word(_ offset: UInt64) -> GuestAtomic? { GuestAtomic(memory, GuestAddress(start + offset)) }
        guard memory.contains(GuestAddress(start), Offset.completions + 16 * UInt64(Self.slots)),
            let tail = word(Offset.tail), let head = word(Offset.head), let completed = word(Offset.completed),
            let needsKick = word(Offset.needsKick)
        else { return nil }
        self.start = start
        (self.tail, toldHead, toldCompleted, self.needsKick) = (tail, head, completed, needsKick)
    }

    /// Does up to 64 entries, in order.
    mutating func turn(_ memory: borrowing GuestMemory, _ hvt: Hvt) -> Turn {
        for done in 0..<64 {
            let waiting = tail.load() &- head
            if waiting == 0 { return done == 0 ? .idle : .busy }
            if waiting > Self.slots { return .ended(.misuse("Invalid guest ring: \(waiting) entries in 1024 slots")) }
            let slot = start + Offset.submissions + 32 * UInt64(head % Self.slots)
            guard let entry = memory.read(GuestAddress(slot), as: HvtRingEntry.self) else { return .idle }
            switch entry.operation {
            case HvtRingEntry.Operation.write:
                if let hindrance = send(entry, memory, hvt) { return hindrance }
            case HvtRingEntry.Operation.read:
                if let end = receive(entry, memory, hvt) { return end }
            default: break  // skipped, as the stock tender does
            }
            head &+= 1
            toldHead.store(head)
        }
        return .busy
    }

    /// Nobody is told how it went: the unikernel does not wait for it.
    private func send(_ entry: HvtRingEntry, _ memory: borrowing GuestMemory, _ hvt: Hvt) -> Turn? {
        guard let net = hvt.device(UInt64(entry.handle))?.net else { return nil }
        let length = UInt64(entry.length)
        guard hvt.allows(entry.data, length) else { return .ended(.access(entry.data, length)) }
        switch memory.withSpan(GuestAddress(entry.data), length, { net.send($0) }) {
        case .done?, .down?: return nil  // with a cable that is pulled a frame is lost
        case .notReady?, .interrupted?: return .full(fd: net.fd)
        case .malformed?, nil: return .ended(.misuse("Invalid frame in the guest's ring: \(length) bytes"))
        case .gone?: return .ended(.hostFailed(errno: ENODEV))
        case .failed(let errno)?: return .ended(.hostFailed(errno: errno))
        }
    }

    private mutating func receive(_ entry: HvtRingEntry, _ memory: borrowing GuestMemory, _ hvt: Hvt) -> Turn? {
        var completion = HvtRingCompletion(id: entry.id, result: HvtResult.invalid)
        if let net = hvt.device(UInt64(entry.handle))?.net {
            let length = UInt64(entry.length)
            guard hvt.allowsWriting(entry.data, length) else { return .ended(.access(entry.data, length)) }
            switch memory.withMutableSpan(GuestAddress(entry.data), length, { net.receive(into: &$0) }) {
            case .done(let bytes)?: (completion.result, completion.length) = (HvtResult.ok, UInt32(bytes))
            case .notReady?, .interrupted?, .down?: completion.result = HvtResult.again
            case .malformed?, nil: break
            case .gone?: return .ended(.hostFailed(errno: ENODEV))
            case .failed(let errno)?: return .ended(.hostFailed(errno: errno))
            }
        }
        let slot = start + Offset.completions + 16 * UInt64(completed % Self.slots)
        memory.write(completion, at: GuestAddress(slot))
        completed &+= 1
        toldCompleted.store(completed)
        return nil
    }

    /// Says that we are about to sleep; false when there is work after all. The unikernel moves the tail, then looks
    /// whether a kick is needed; we say that it is, then look at the tail: with a full fence on both sides, one sees the
    /// other (Intel SDM vol. 3A, 9.2.3.4: a load may pass an older store).
    func maySleep() -> Bool {
        needsKick.store(1)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if tail.load() == head { return true }
        needsKick.store(0)
        return false
    }

    func isAwake() { needsKick.store(0) }
}

/// What ended a ring before its machine.
enum HvtRingEnd: Equatable {
    case misuse(String)
    case hostFailed(errno: Int32)

    static func access(_ address: UInt64, _ count: UInt64) -> HvtRingEnd {
        .misuse(invalidAccessWords(address, count))
    }
}
