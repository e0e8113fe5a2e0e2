// A ring as its thread has it: one object, whose state a turn of the crank has to itself.
//
// Nothing here knows threads or KVM: tests turn the crank themselves. Read next: RingServing.swift.

import Devices
import GuestMemory
import Host

/// A ring that a thread turns. Unchecked: nobody else touches it once a `Ring` has it.
public final class RingService: RingServing, @unchecked Sendable {
    /// What does an entry; of one that is cut short, the rest stays in the entry.
    public typealias Work = @Sendable (inout RingEntry, borrowing GuestMemory) -> RingOutcome

    /// One value, which a turn has to itself: a class's own variables are looked after at each access, 60 ns in a read of 4 KiB.
    private var crank: RingCrank

    /// A ring of devices with these numbers, which an entry may wait aside for; `interrupts` is whether its guest may sleep
    /// until its interrupt.
    public init(
        _ queue: consuming RingQueue, devices: Int = 0, interrupts: Bool = false, _ work: @escaping Work
    ) {
        crank = RingCrank(queue, devices: devices, interrupts: interrupts, work)
    }

    /// A ring of Swiftlet's own ABI.
    public init(_ queue: consuming RingQueue, _ devices: [RingDevice], interrupts: Bool = false) {
        crank = RingCrank(queue, devices: devices.count, interrupts: interrupts) { $0.perform(on: devices, $1) }
        crank.disks = devices.map { if case .block(let disk) = $0 { DiskWork(disk) } else { nil } }
    }

    public func turn(_ memory: borrowing GuestMemory, isAwaited: () -> Bool) -> RingTurn {
        crank.turn(memory, isAwaited: isAwaited)
    }

    public func maySleep(_ memory: borrowing GuestMemory) -> Bool { crank.queue.maySleep() }
    public func isAwake(_ memory: borrowing GuestMemory) { crank.queue.isAwake() }
    public var wantsInterrupt: Bool { crank.wantsInterrupt }
    public var view: RingView? { crank.queue.view }
    public var isHeldUp: Bool { crank.isHeldUp }
    /// How many answers were given.
    public var given: UInt32 { crank.queue.completionTail }
    /// Frames and disks that are waited for, and room for what is held up.
    public var waits: [WaitFor] { crank.waits }
    public func tellLosses() -> RingFailure? { crank.tellLosses() }
    public func letGo() { crank.disks = [] }
}
