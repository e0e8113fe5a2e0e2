// The thread that ends runs whose time is up, or that somebody wants ended: clones run on their callers' threads.
//
// One for the process. It sleeps until the next deadline that it knows of; a run that begins and ends meanwhile costs it
// nothing. A kick that falls between a check and a system call is followed by another 10 ms later. Read next: Pool.swift.

import CSnapshot
import Host
import KVM
import Synchronization
import VMM

final class Watchdog: Sendable {
    private struct Watch {
        let control: StopControl
        let thread: ThreadReference
        /// CLOCK_MONOTONIC in ns.
        let deadline: UInt64
        var isStopping = false
    }
    private struct Watches {
        var list: [Watch?] = []
        var free: [Int] = []
        /// When the thread wakes at the latest.
        var wakes = UInt64.max
    }
    private let watches = Mutex(Watches())
    private let alarm: EventFD

    private static let kickInterval: UInt64 = 10_000_000
    private static let only = Mutex<Watchdog?>(nil)

    /// Makes it with the first call.
    static func shared() throws(SnapshotError) -> Watchdog {
        try only.withLock { only throws(SnapshotError) in
            if let only { return only }
            let new = Watchdog(alarm: try snapshotKVM(try EventFD()))
            _ = try snapshotIO(
                try Thread {
                    cclone_block_signals()
                    new.watch()
                })
            only = new
            return new
        }
    }

    private init(alarm: consuming EventFD) { self.alarm = alarm }

    /// From here the calling thread's run is watched; the number is for `end` and `stop`.
    func begin(_ control: StopControl, deadline: UInt64?) -> Int {
        let watch = Watch(control: control, thread: .current, deadline: deadline ?? .max)
        let (number, isEarlier) = watches.withLock { watches in
            let isEarlier = watch.deadline < watches.wakes
            if isEarlier { watches.wakes = watch.deadline }
            guard let number = watches.free.popLast() else {
                watches.list.append(watch)
                return (watches.list.count - 1, isEarlier)
            }
            watches.list[number] = watch
            return (number, isEarlier)
        }
        if isEarlier { alarm.signal() }
        return number
    }

    /// The run has ended: no kick comes any more.
    func end(_ number: Int) {
        watches.withLock { watches in
            watches.list[number] = nil
            watches.free.append(number)
        }
    }

    /// Ends a run that has not ended yet.
    func stop(_ number: Int, signal: Int32) {
        watches.withLock { watches in
            watches.list[number]?.control.request(signal: signal)
            watches.list[number]?.isStopping = true
            watches.wakes = 0
        }
        alarm.signal()
    }

    private func watch() {
        while true {
            let now = Clock.monotonic()
            let next = kick(now)
            _ = wait(for: WaitFor(alarm.fd), nanoseconds: next == .max ? nil : next - min(now, next))
            _ = alarm.take()
        }
    }

    /// Kicks those whose time is up; when to do so next. Under the lock, so that no run ends meanwhile.
    private func kick(_ now: UInt64) -> UInt64 {
        watches.withLock { watches in
            var next = UInt64.max
            for index in watches.list.indices {
                guard let watch = watches.list[index] else { continue }
                if watch.deadline <= now, !watch.isStopping {
                    watch.control.requestTimeout()
                    watches.list[index]?.isStopping = true
                }
                let isOver = watches.list[index]?.isStopping == true
                if isOver { watch.thread.kick() }
                next = min(next, isOver ? now + Self.kickInterval : watch.deadline)
            }
            watches.wakes = next
            return next
        }
    }
}
