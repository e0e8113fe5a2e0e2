// What a ring's thread turns: Swiftlet's own rings and hvt's (RingService), virtio's queues (Virtio/QueueService).
//
// Read next: Ring.swift.

import GuestMemory
import Host

/// What a turn of the crank came to.
public enum RingTurn: Equatable, Sendable {
    case idle
    case busy
    case ended(RingFailure)
}

/// Queues in guest memory with what is done for them. One thread turns it.
public protocol RingServing: AnyObject, Sendable {
    /// Does some of what the guest has submitted: not so much that a stop, or a guest that waits for an answer, would have to
    /// wait for long. Whether one waits, `isAwaited` tells.
    func turn(_ memory: borrowing GuestMemory, isAwaited: () -> Bool) -> RingTurn
    /// Whether something holds up what is behind it, so that having work is no reason to stay awake.
    var isHeldUp: Bool { get }
    /// What may end an idle time, but for the doorbell.
    var waits: [WaitFor] { get }
    /// Tells the guest that we are about to sleep; false when there is work after all.
    func maySleep(_ memory: borrowing GuestMemory) -> Bool
    func isAwake(_ memory: borrowing GuestMemory)
    /// When it turns no more and its guest has ended by itself: what has failed, or was left, without the guest's hearing
    /// of it. What is a disk's, the disk tells.
    func tellLosses() -> RingFailure?
    /// Before the guest's memory goes: waits for what is on its way into it, which gets no answer.
    func letGo()
    /// Whether the guest wants an interrupt for answers that come now.
    var wantsInterrupt: Bool { get }
    /// For a call that waits for answers; nil where guests make none.
    var view: RingView? { get }
}

extension RingServing {
    public func turn(_ memory: borrowing GuestMemory) -> RingTurn { turn(memory) { false } }

    public func tellLosses() -> RingFailure? { nil }
}
