// Serving a device's queues: take a chain, have the backend do it, give it back. The thread is Rings/Ring's.
//
// Nothing here knows registers, threads or KVM. A driver that breaks its queue has a device that needs a reset, and gets no
// more from it (virtio 1.2, section 2.1.2). Read next: VirtioBackend.swift.

import Devices
import GuestMemory
import Host
import Rings
import Synchronization

/// The queues of a device, while its driver has it running.
public final class QueueService: RingServing {
    private struct State {
        /// Nil for a queue that the driver does not use; empty while the device does not run.
        var queues: [SplitQueue?] = []
        /// What the first chain of a queue waits for.
        var waits: [WaitFor?] = []
        /// Of that chain, what is left to do when some is done.
        var rests: [Chain?] = []
        var isInterrupted = false
        var wantsInterrupt = false
        /// Whether the driver counts on its writes being on the disk when they are done: it has not agreed on flushes.
        var writesThrough = false
    }

    /// Bits of the interrupt status: buffers were used, the configuration (here: the status) has changed.
    private enum Interrupt {
        static let (used, changed): (UInt32, UInt32) = (1, 2)
    }

    private let backend: VirtioBackend
    private let state = Mutex(State())
    private let status = Atomic<UInt32>(0)
    private let isBroken = Atomic(false)
    /// Nothing more is served: somebody wants to change the queues, or the machine ends.
    private let isHeld = Atomic(false)

    init(_ backend: VirtioBackend) { self.backend = backend }

    public func turn(_ memory: borrowing GuestMemory, isAwaited: () -> Bool) -> RingTurn {
        state.withLock { state in
            (state.isInterrupted, state.wantsInterrupt) = (false, false)
            if isBroken.load(ordering: .relaxed) { return .idle }
            var isBusy = false
            for index in state.queues.indices {
                switch turn(index, &state, memory) {
                case .idle: break
                case .busy: isBusy = true
                case let end: return end
                }
            }
            return isBusy || state.isInterrupted ? .busy : .idle
        }
    }

    /// Up to 64 chains of a queue, or a piece of a disk.
    private func turn(_ index: Int, _ state: inout State, _ memory: borrowing GuestMemory) -> RingTurn {
        state.waits[index] = nil
        guard var queue = state.queues[index] else { return .idle }
        defer { state.queues[index] = queue }
        var bytes: UInt64 = 0
        for done in 0..<64 {
            if isHeld.load(ordering: .acquiring) || bytes >= BlockDevice.piece {
                return finish(queue, done, &state, memory)
            }
            switch queue.next(memory) {
            case .nothing: return finish(queue, done, &state, memory)
            case .broken:
                breakDown(&state)
                return .busy
            case .chain(let chain):
                let work = state.rests[index].take() ?? chain
                switch backend.perform(work, queue: index, writesThrough: state.writesThrough, memory) {
                case .done(let written):
                    queue.accept()
                    queue.give(chain, written: written, memory)
                    bytes += chain.readableCount + chain.writableCount
                case .waits(let wait):
                    state.waits[index] = wait
                    return finish(queue, done, &state, memory)
                case .cut(let rest, let wait):
                    (state.rests[index], state.waits[index]) = (rest, wait)
                    state.isInterrupted = wait == nil
                    return finish(queue, done, &state, memory)
                case .interrupted:
                    state.isInterrupted = true
                    return finish(queue, done, &state, memory)
                case .broken:
                    breakDown(&state)
                    return .busy
                case .ends(let failure): return .ended(failure)
                }
            }
        }
        return finish(queue, 64, &state, memory)
    }

    private func finish(
        _ queue: SplitQueue, _ done: Int, _ state: inout State, _ memory: borrowing GuestMemory
    ) -> RingTurn {
        if done == 0 { return .idle }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if queue.wantsInterrupt(memory) {
            status.bitwiseOr(Interrupt.used, ordering: .acquiringAndReleasing)
            state.wantsInterrupt = true
        }
        return .busy
    }

    private func breakDown(_ state: inout State) {
        isBroken.store(true, ordering: .releasing)
        status.bitwiseOr(Interrupt.changed, ordering: .acquiringAndReleasing)
        state.wantsInterrupt = true
    }

    public var isHeldUp: Bool { state.withLock { $0.isInterrupted || $0.waits.contains { $0 != nil } } }

    public var waits: [WaitFor] { state.withLock { $0.waits.compactMap(\.self) } }

    public func maySleep(_ memory: borrowing GuestMemory) -> Bool {
        let hasWork = state.withLock { state in
            if isBroken.load(ordering: .relaxed) || state.isInterrupted { return state.isInterrupted }
            for queue in state.queues { queue?.setNotification(true, memory) }
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            return state.queues.indices.contains { state.waits[$0] == nil && state.queues[$0]?.hasWork(memory) == true }
        }
        if hasWork { isAwake(memory) }
        return !hasWork
    }

    public func isAwake(_ memory: borrowing GuestMemory) {
        state.withLock { state in
            for queue in state.queues { queue?.setNotification(false, memory) }
        }
    }

    public var wantsInterrupt: Bool { state.withLock { $0.wantsInterrupt } }

    public var view: RingView? { nil }

    /// What is served is done when its turn ends.
    public func letGo() {}
}

/// The transport's side.
extension QueueService {
    var interruptStatus: UInt32 { status.load(ordering: .acquiring) }
    var needsReset: Bool { isBroken.load(ordering: .acquiring) }

    func acknowledge(_ bits: UInt32) { status.bitwiseAnd(~bits, ordering: .acquiringAndReleasing) }

    /// Serves no chain but the one that is being served, from now on.
    public func hold() { isHeld.store(true, ordering: .releasing) }

    /// Changes the queues while no chain is being served; false when one is. Whoever waits for it must be able to stop
    /// waiting: a disk may take as long as it likes.
    private func whileHeld(_ change: (inout State) -> Void) -> Bool {
        hold()
        guard state.withLockIfAvailable({ change(&$0) }) != nil else { return false }
        isHeld.store(false, ordering: .releasing)
        return true
    }

    func start(_ places: [QueuePlace], writesThrough: Bool, _ memory: borrowing GuestMemory) -> Bool {
        whileHeld { state in
            state = State()
            state.writesThrough = writesThrough
            for place in places {
                let queue = place.isReady ? SplitQueue(place, memory) : nil
                if place.isReady, queue == nil { breakDown(&state) }
                state.queues.append(queue)
                state.waits.append(nil)
                state.rests.append(nil)
            }
        }
    }

    func reset() -> Bool {
        whileHeld { state in
            state = State()
            status.store(0, ordering: .releasing)
            isBroken.store(false, ordering: .releasing)
        }
    }
}
