// Serving a ring: take entries, do them, answer; keep receives until their frames come; sleep when there is nothing.
//
// One thread does it all in order, so a flush covers every write before it. Nothing here knows threads or KVM: tests turn
// the crank themselves. Read next: Ring.swift.

import CABI
import Devices
import GuestMemory
import Host

/// The state of a ring's thread.
public struct RingService: ~Copyable, Sendable {
    public var queue: RingQueue
    private let devices: [RingDevice]
    /// Receives that wait for a frame, oldest first, by device.
    private var receives: [Receives]
    /// How many wait in all.
    private var waiting = 0
    /// An entry that could not be done yet and holds up those behind it: a send without room, a console that is slow.
    private var blocked: (entry: RingEntry, wait: WaitFor)?

    private struct Receives: Sendable {
        var entries: [RingEntry] = []
        var first = 0

        /// Seldom: it moves all that are behind.
        mutating func forgetDone() {
            guard first == entries.count || first >= 4096 else { return }
            entries.removeFirst(first)
            first = 0
        }
    }

    /// What a turn of the crank came to.
    public enum Turn: Equatable, Sendable {
        case idle
        case busy
        case broken
        case consoleGone
    }

    public init(_ queue: consuming RingQueue, _ devices: [RingDevice]) {
        self.queue = queue
        self.devices = devices
        receives = Array(repeating: Receives(), count: devices.count)
    }

    /// Does up to 64 entries, and hands out the frames that wait.
    public mutating func turn(_ memory: borrowing GuestMemory) -> Turn {
        var isBusy = false
        for _ in 0..<64 {
            let entry: RingEntry
            if let (waited, _) = blocked.take() {
                entry = waited
            } else {
                switch queue.next() {
                case .nothing: return finish(isBusy, memory)
                case .broken: return .broken
                case .entry(let next): entry = next
                }
            }
            switch start(entry, memory) {
            case .busy: isBusy = true
            // Interrupted (it waits for nothing): not idle, but whoever turns looks for a stop first.
            case .idle: return finish(isBusy || blocked?.wait.fd == -1, memory)
            case let end: return end
            }
        }
        return finish(true, memory)
    }

    private mutating func finish(_ isBusy: Bool, _ memory: borrowing GuestMemory) -> Turn {
        if waiting > 0, receiveFrames(memory) { return .busy }
        return isBusy ? .busy : .idle
    }

    /// `idle`: it has to wait and holds up the others.
    private mutating func start(_ given: RingEntry, _ memory: borrowing GuestMemory) -> Turn {
        var entry = given
        // A receive behind others of its device must not overtake them.
        if entry.operation == SWIFTLET_NET_RECEIVE, hasReceives(entry.device) {
            keep(entry)
            return .busy
        }
        switch entry.perform(on: devices, memory) {
        case .answer(let answer): queue.answer(entry.id, answer)
        case .waits where entry.operation == SWIFTLET_NET_RECEIVE: keep(entry)
        case .waits(let wait):
            blocked = (entry, wait)
            return .idle
        case .interrupted:
            blocked = (entry, WaitFor(-1))
            return .idle
        case .consoleGone: return .consoleGone
        }
        return .busy
    }

    private func hasReceives(_ device: UInt32) -> Bool {
        device < UInt32(receives.count) && receives[Int(device)].first < receives[Int(device)].entries.count
    }

    /// Its device is there: it could wait for a frame. There are never more than the ring has slots.
    private mutating func keep(_ entry: RingEntry) {
        receives[Int(entry.device)].entries.append(entry)
        waiting += 1
    }

    /// Whether any receive ended.
    private mutating func receiveFrames(_ memory: borrowing GuestMemory) -> Bool {
        var ended = false
        for device in receives.indices {
            while hasReceives(UInt32(device)) {
                var entry = receives[device].entries[receives[device].first]
                guard case .answer(let answer) = entry.perform(on: devices, memory) else { break }
                queue.answer(entry.id, answer)
                receives[device].first += 1
                waiting -= 1
                ended = true
            }
            receives[device].forgetDone()
        }
        return ended
    }

    /// Whether an entry holds up those behind it, so that having work is no reason to stay awake.
    public var isHeldUp: Bool { blocked != nil }

    /// What may end an idle time, but for the doorbell: frames that are waited for, and room for what is held up.
    public var waits: [WaitFor] {
        var list: [WaitFor] = []
        for (device, receives) in zip(devices, receives) where receives.first < receives.entries.count {
            if let net = device.net { list.append(WaitFor(net.fd)) }
        }
        if let blocked { list.append(blocked.wait) }
        return list
    }
}
