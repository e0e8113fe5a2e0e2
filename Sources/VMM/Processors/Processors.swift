// What the vCPUs of a machine with several share: who has ended, who waits to be started, which page tables are news, turns.
//
// A machine with one vCPU has none of this, and asks once a run. Each vCPU has a thread and a slot here; the first to end
// ends all. Read next: ProcessorThreads.swift (the threads), ProcessorRunLoop.swift (what a vCPU does between two entries).

import GuestMemory
import Host
import KVM
import Synchronization
import X86

extension Configuration {
    public static var mostCPUs: Int { 64 }
    /// A vCPU of a Swiftlet guest has a call page (AddressMap.vcpuArea).
    public static var mostCPUsOfGuest: Int { 16 }
}

package final class Processors: Sendable {
    package let count: Int
    package let slots: [ProcessorSlot]
    /// Signalled by each thread at its end.
    let done: EventFD
    /// Threads that run or are about to.
    let running: Atomic<Int>
    /// The vCPU whose end is the machine's, and how much that end counts.
    private let ending = Mutex((index: 0, weight: 0))
    /// Whether a debugger may let the guest go on behind a crash, which then only pauses the others.
    let isDebugged = Atomic<Bool>(false)
    /// How often page tables were committed.
    let commits = Atomic<UInt64>(0)
    private let parking = Mutex(Parking())
    private let handled = Mutex(VectorSet())
    let turn = Mutex<Void>(())

    /// Nil for a machine with one. `root`: of the page tables that a ring-3 guest starts with.
    package init?(_ count: Int, root: UInt64 = 0) throws(KVMError) {
        if count < 2 { return nil }
        self.count = count
        done = try EventFD()
        running = Atomic(count)
        var slots: [ProcessorSlot] = []
        for _ in 0..<count { slots.append(try ProcessorSlot(root: root)) }
        self.slots = slots
    }

    /// All threads, or so many, are about to run, also after a pause.
    func begin(_ number: Int? = nil) {
        running.store(number ?? count, ordering: .releasing)
        ending.withLock { $0 = (0, 0) }
        _ = done.take()
    }

    /// A vCPU's thread has run; the others end too, or pause. An end counts more than a pause, a pause that the guest asked
    /// for more than the others' with it, and of two that count alike the first.
    func ended(_ index: Int, _ stop: Stop?, _ control: StopControl) {
        slots[index].thread.withLock { $0 = nil }
        let weight: Int
        switch stop {
        case .paused(let byGuest)?: weight = byGuest ? 2 : 1
        case .crashed? where isDebugged.load(ordering: .relaxed): weight = 3
        default: weight = 4
        }
        ending.withLock { if weight > $0.weight { $0 = (index, weight) } }
        if weight < 4 { control.requestPause() } else { control.requestEndOfAll() }
        running.subtract(1, ordering: .acquiringAndReleasing)
        done.signal()
    }

    var haveEnded: Bool {
        _ = done.take()  // before the look: who ends behind it signals again
        return running.load(ordering: .acquiring) == 0
    }

    /// The vCPU that speaks for the machine.
    var spokesman: Int { ending.withLock { $0.index } }

    /// Notes whether a kernel's vCPU is parked: halted without interrupts, or waiting to be started. True when all are, which
    /// is the end, for only one of them could wake another.
    func park(_ index: Int, _ isParked: Bool) -> Bool {
        parking.withLock { $0.note(1 << UInt64(index), isParked, of: count) }
    }

    /// Which vectors have a handler: the machine's, whichever vCPU has set it.
    package var handlers: VectorSet {
        get { handled.withLock { $0 } }
        set { handled.withLock { $0 = newValue } }
    }

    /// Takes over what a vCPU has changed.
    func changeHandlers(from old: VectorSet, to new: VectorSet) {
        handled.withLock { shared in
            for index in 0..<4 {
                let changed = old.words[index] ^ new.words[index]
                shared.words[index] = shared.words[index] & ~changed | new.words[index] & changed
            }
        }
    }
}

extension Platform {
    /// What two vCPUs must not do at once. With one there is nobody to wait for.
    @inline(__always)
    func inTurn<R: Sendable>(_ body: () -> R) -> R {
        guard let processors else { return body() }
        return processors.turn.withLock { _ in body() }
    }
}

extension VCPUContext {
    /// Of a machine with several: whether it is about to pause or to end. If not, it pauses from now on.
    func isPausing() -> Bool {
        guard platform.processors != nil else { return false }
        if platform.control.requested != nil { return true }
        platform.control.requestPause()
        return false
    }

    /// Another vCPU may have read what there was: then a read would wait for ever.
    @inline(never)
    func readInTurn(_ address: GuestAddress, _ length: UInt64) -> ConsoleResult {
        platform.inTurn {
            wait(for: WaitFor(platform.console.input), nanoseconds: 0).0 ? readOnce(address, length) : .notReady
        }
    }

    /// The run is over, or pauses: so do the others.
    func tellEnd() { platform.processors?.ended(index, stop, platform.control) }
}

/// Which vCPUs are parked. Who parks takes the others' word back, for it may have woken them just before; and all must say so
/// twice, for a word may have been on its way then.
struct Parking {
    private var parked: UInt64 = 0
    private var confirmed: UInt64 = 0
    private var rounds = 0

    /// Whether all are, by the word of one, given again and again.
    mutating func note(_ bit: UInt64, _ isParked: Bool, of count: Int) -> Bool {
        let was = parked & bit != 0
        parked = isParked ? parked | bit : parked & ~bit
        if !isParked || !was {
            (confirmed, rounds) = (0, 0)
            return false
        }
        confirmed |= bit
        if confirmed.nonzeroBitCount < count { return false }
        (confirmed, rounds) = (0, rounds + 1)
        return rounds == 2
    }
}

/// A vCPU, to the others.
package final class ProcessorSlot: Sendable {
    /// For kicks, while it runs.
    let thread = Mutex<ThreadReference?>(nil)
    /// Whether it is in the guest, or about to enter.
    let isInside = Atomic<Bool>(false)
    /// The last commit that it has seen to.
    let seen = Atomic<UInt64>(0)
    /// The page tables that it uses.
    package let root: Atomic<UInt64>
    /// How it begins, when another vCPU has said so.
    let start = Mutex<CPUState?>(nil)
    package let isStarted = Atomic<Bool>(false)
    /// Whether it has taken that up.
    package let hasBegun = Atomic<Bool>(false)
    let startEvent: EventFD

    init(root: UInt64) throws(KVMError) {
        self.root = Atomic(root)
        startEvent = try EventFD()
    }

    func kick() { thread.withLock { $0?.kick() } }
}
