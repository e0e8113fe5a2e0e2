// The work on a ring: take entries, do them, answer; keep aside what has to wait for a frame or a disk.
//
// One thread does it all in order, so a flush covers every write before it. Read next: RingService.swift.

import CABI
import Devices
import GuestMemory
import Host

/// What is to be done, under way and held up.
struct RingCrank: ~Copyable {
    var queue: RingQueue
    private let work: RingService.Work
    /// Whether the guest may sleep until its interrupt.
    private let interrupts: Bool
    /// What the guest may never hear of (RingLoss.swift).
    var failures: [RingLoss.Failure] = []
    /// Entries that wait aside, by device, oldest first.
    private var asides: [Aside]
    /// How many wait aside in all.
    private var waiting = 0
    /// What is under way at the disks among the devices; nil in other devices' places.
    var disks: [DiskWork?] = []
    /// How many entries are under way there in all.
    private var underWay = 0
    /// An entry that could not be done yet and holds up those behind it: a send without room, a console that is slow.
    private var blocked: (entry: RingEntry, wait: WaitFor)?

    /// After so many entries, and before another where there were so many bytes, the guest sees what has become of them.
    private static let (unpublished, unpublishedBytes) = (8, 64 << 10)

    private struct Aside: Sendable {
        var entries: [RingEntry] = []
        var first = 0
        var wait = WaitFor(-1)

        var isEmpty: Bool { first == entries.count }

        /// Seldom: it moves all that are behind.
        mutating func forgetDone() {
            guard isEmpty || first >= 4096 else { return }
            entries.removeFirst(first)
            first = 0
        }
    }

    init(_ queue: consuming RingQueue, devices: Int, interrupts: Bool, _ work: @escaping RingService.Work) {
        self.queue = queue
        (self.work, self.interrupts) = (work, interrupts)
        asides = Array(repeating: Aside(), count: devices)
    }

    /// Does up to 64 entries, or one piece of a long one, and those aside that can be done now.
    mutating func turn(_ memory: borrowing GuestMemory, isAwaited: () -> Bool) -> RingTurn {
        defer { queue.publish() }
        var bytes = 0
        for done in 0..<64 {
            if done % Self.unpublished == 0 || bytes >= Self.unpublishedBytes { queue.publish() }
            let entry: RingEntry
            if let (waited, _) = blocked.take() {
                entry = waited
            } else {
                switch queue.next() {
                case .nothing: return finish(done > 0, memory)
                case .broken: return .ended(.broken)
                case .entry(let next): entry = next
                }
            }
            switch start(entry, memory) {
            case .busy: queue.release()
            // Interrupted (it waits for nothing): not idle, but whoever turns looks for a stop first.
            case .idle: return finish(done > 0 || !isHeldUp, memory)
            case let end: return end
            }
            bytes += Int(entry.length)
            if bytes >= BlockDevice.piece || isAwaited() || wantsInterrupt { break }
        }
        return finish(true, memory)
    }

    private mutating func finish(_ isBusy: Bool, _ memory: borrowing GuestMemory) -> RingTurn {
        var isBusy = isBusy
        if waiting > 0, finishAsides(memory) { isBusy = true }
        if underWay > 0, finishDisks(memory) { isBusy = true }
        return isBusy ? .busy : .idle
    }

    /// Whether any operation of a disk ended, or was interrupted: not idle, but whoever turns looks for a stop first.
    private mutating func finishDisks(_ memory: borrowing GuestMemory) -> Bool {
        var ended = false
        for device in disks.indices {
            while let (entry, answer) = disks[device]?.finish(memory) {
                self.answer(entry, answer)
                underWay -= 1
                ended = true
            }
            if disks[device]?.isInterrupted == true { ended = true }
        }
        return ended
    }

    /// `idle`: it has to wait and holds up the others.
    private mutating func start(_ given: RingEntry, _ memory: borrowing GuestMemory) -> RingTurn {
        var entry = given
        // One behind others that wait aside for its device must not overtake them.
        if entry.operation == SWIFTLET_NET_RECEIVE, let wait = waitAside(entry.device) {
            keep(entry, wait)
            return .busy
        }
        switch startAtDisk(&entry, memory) ?? work(&entry, memory) {
        case .answer(let answer): self.answer(entry, answer)
        case .unanswered: break
        case .underWay: underWay += 1
        case .waitsAside(let wait): keep(entry, wait)
        case .waits(let wait):
            blocked = (entry, wait)
            return .idle
        case .interrupted:
            blocked = (entry, WaitFor(-1))
            return .idle
        case .ends(let failure): return .ended(failure)
        }
        return .busy
    }

    private mutating func answer(_ entry: RingEntry, _ answer: RingAnswer) {
        if answer.result < 0 { note(entry, answer) }
        queue.answer(entry.id, answer)
    }

    private mutating func startAtDisk(_ entry: inout RingEntry, _ memory: borrowing GuestMemory) -> RingOutcome? {
        let device = Int(entry.device)
        return device < disks.count ? disks[device]?.start(&entry, memory) : nil
    }

    /// What entries wait aside for at a device; nil when none does.
    private func waitAside(_ device: UInt32) -> WaitFor? {
        device < UInt32(asides.count) && !asides[Int(device)].isEmpty ? asides[Int(device)].wait : nil
    }

    /// Its device is there: it could wait for a frame. There are never more than the ring has slots.
    private mutating func keep(_ entry: RingEntry, _ wait: WaitFor) {
        asides[Int(entry.device)].entries.append(entry)
        asides[Int(entry.device)].wait = wait
        waiting += 1
    }

    /// Whether any ended.
    private mutating func finishAsides(_ memory: borrowing GuestMemory) -> Bool {
        var ended = false
        for device in asides.indices {
            while !asides[device].isEmpty {
                var entry = asides[device].entries[asides[device].first]
                guard case .answer(let answer) = work(&entry, memory) else { break }
                queue.answer(entry.id, answer)
                asides[device].first += 1
                waiting -= 1
                ended = true
            }
            asides[device].forgetDone()
        }
        return ended
    }

    var wantsInterrupt: Bool { interrupts && queue.wantsInterrupt }

    /// Whether an entry holds up those behind it, so that having work is no reason to stay awake.
    var isHeldUp: Bool { blocked.map { $0.wait.fd >= 0 } ?? false }

    var waits: [WaitFor] {
        var list = asides.filter { !$0.isEmpty }.map(\.wait) + disks.compactMap { $0?.wait }
        if let blocked { list.append(blocked.wait) }
        return list
    }
}
