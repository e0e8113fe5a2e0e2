// A ring and its thread: it polls for a bounded time, then sleeps on the doorbell; it ends when the machine does.
//
// A ring-3 guest's call costs an exit to user space; a shared word costs a cache line. So while both sides are busy nobody
// leaves anything, and only who finds nothing to do goes to sleep. Read next: VMM/Paravirt/RingSetup.swift.

import CDevices
import GuestMemory
import Host
import KVM
import Synchronization

/// A ring that is served. `serve` runs on a thread of the owner's, which `adopt` hands over and `stop` joins.
public final class Ring: Sendable {
    /// What wakes it: a port's ioeventfd.
    public let doorbell: EventFD
    /// Signalled when an answer comes while somebody awaits one.
    public let answered: EventFD
    private let stopEvent: EventFD
    private let done: EventFD
    private let isStopping = Atomic(false)
    private let isFinishing = Atomic(false)
    /// The guest has ended by itself: nobody takes the answers.
    private let isUnheard = Atomic(false)
    private let lost = Mutex<RingFailure?>(nil)
    private let isAwaited = Atomic(false)
    private let spin: UInt64
    /// Of its interrupt; 0: it makes none.
    public let vector: UInt8
    private let interrupt: @Sendable () -> Void
    private let view: RingView?
    private let service: any RingServing
    private let thread = Mutex<Thread?>(nil)

    /// Nanoseconds that a ring polls before it sleeps: about what going to sleep and waking up cost.
    public static let defaultSpin: UInt64 = 100_000

    /// `spin` is in nanoseconds: 0 on a host with one CPU, where polling only keeps the guest from running. `interrupt` tells
    /// the guest that answers have come, when it wants that.
    public init(
        _ service: any RingServing, spin: UInt64 = defaultSpin, vector: UInt8 = 0,
        interrupt: @escaping @Sendable () -> Void = {}
    ) throws(KVMError) {
        let doorbell = try EventFD()
        let answered = try EventFD()
        let stopEvent = try EventFD()
        done = try EventFD()
        self.doorbell = doorbell
        self.answered = answered
        self.stopEvent = stopEvent
        (self.service, view) = (service, service.view)
        (self.spin, self.vector, self.interrupt) = (spin, vector, interrupt)
    }

    /// Serves the ring until it is stopped. If it cannot go on, tells `failing`, again and again until then: a kick of the
    /// vCPU may fall between its look for a reason and its call that blocks. The thread stays off the CPU of `vcpu`.
    public func serve(
        _ memory: borrowing GuestMemory, apartFrom vcpu: ThreadPlace? = nil, failing: (RingFailure) -> Void
    ) {
        defer { done.signal() }
        let failure = loop(memory, Separation(from: vcpu, allowed: allowedCPUs()))
        if isUnheard.load(ordering: .acquiring) { lost.withLock { $0 = failure ?? service.tellLosses() } }
        service.letGo()
        guard let failure else { return }
        while !isStopping.load(ordering: .acquiring) {
            failing(failure)
            _ = wait(for: WaitFor(stopEvent.fd), nanoseconds: 10_000_000)
        }
    }

    private func loop(_ memory: borrowing GuestMemory, _ apart: Separation?) -> RingFailure? {
        var idleSince: UInt64 = 0
        var set = WaitSet()
        while true {
            let isLast = isStopping.load(ordering: .acquiring)
            if isLast && !isFinishing.load(ordering: .acquiring) { return nil }
            apart?.keep()
            switch service.turn(memory, isAwaited: { isAwaited.load(ordering: .relaxed) }) {
            case .ended(let failure): return failure
            case .idle where isLast: return nil
            case .busy where isLast && service.isHeldUp: return nil
            case .busy:
                tellWaiter()
                idleSince = 0
            case .idle:
                let now = Clock.monotonic()
                if idleSince == 0 { idleSince = now }
                if now - idleSince >= spin {
                    sleep(&set, memory)
                    idleSince = 0
                } else {
                    cdevices_pause()
                }
            }
        }
    }

    /// Until the doorbell, a frame or a disk that is waited for, room for what is held up, or the end.
    private func sleep(_ set: inout WaitSet, _ memory: borrowing GuestMemory) {
        guard service.maySleep(memory) || service.isHeldUp else { return }
        set.removeAll()
        set.add(WaitFor(doorbell.fd))
        set.add(WaitFor(stopEvent.fd))
        for wait in service.waits { set.add(wait) }
        _ = set.wait(nanoseconds: nil)
        service.isAwake(memory)
        _ = doorbell.take()
    }

    private func tellWaiter() {
        // Against `await`: answer, then look whether it is awaited there; await, then look for an answer here. The guest
        // does the same with its word for the interrupt.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isAwaited.load(ordering: .relaxed) { answered.signal() }
        if service.wantsInterrupt { interrupt() }
    }

    /// Says that somebody waits for `answered` to become readable; false when there is an answer already.
    public func await() -> Bool {
        isAwaited.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return view?.hasAnswers != true
    }

    /// Ends the wait; whether there are answers that the guest has not taken.
    public func endAwait() -> Bool {
        isAwaited.store(false, ordering: .relaxed)
        _ = answered.take()
        return view?.hasAnswers == true
    }

    /// The thread that runs `serve`.
    public func adopt(_ thread: consuming Thread) {
        var thread = Optional(thread)
        self.thread.withLock { $0 = thread.take() }
    }

    /// Interrupts what keeps the thread waiting.
    public func kick() { thread.withLock { $0?.kick() } }

    /// Has the thread end: at once, or, `finishing`, with what can be done without waiting of what the guest has submitted.
    public func requestStop(finishing: Bool) {
        isUnheard.store(finishing, ordering: .releasing)
        isFinishing.store(finishing, ordering: .releasing)
        isStopping.store(true, ordering: .releasing)
        stopEvent.signal()
    }

    /// Joins a thread that has to end. A disk or a console that keeps it waiting is interrupted, again and again: a kick may fall
    /// just before the wait begins. Of what a guest has submitted, what is not done in a second is left.
    public func join() {
        guard let thread = self.thread.withLock({ $0.take() }) else { return }
        var waits = 0
        while !wait(for: WaitFor(done.fd), nanoseconds: 10_000_000).0 {
            waits += 1
            if waits == 100 { isFinishing.store(false, ordering: .releasing) }
            thread.kick()
        }
        thread.join()
    }

    /// After `join`, where the guest had ended by itself: why not all of what it had submitted is done, but for what disks tell.
    public var loss: RingFailure? { lost.withLock { $0 } }

    public func stop() {
        requestStop(finishing: false)
        join()
    }
}
