// How the main thread stops the vCPUs: a reason, once, and a descriptor that every blocking call also waits for.
//
// Order: reason, descriptor, kick. A vCPU that is kicked clears its kick byte first and looks at the reason second,
// so no request is lost. Read next: VCPUThread.swift.

import KVM
import Synchronization

/// Shared by the main thread and the vCPU threads of a machine.
public final class StopControl: Sendable {
    let reason = Atomic<Int32>(0)
    let event: EventFD

    private static let timeout: Int32 = -1
    private static let lost: Int32 = -2
    private static let pause: Int32 = -3
    private static let device: Int32 = -4
    private static let ended: Int32 = -5

    public init() throws(KVMError) {
        event = try EventFD()
    }

    /// Asks for a stop; only the first reason counts.
    public func request(signal: Int32) { request(signal) }

    public func requestTimeout() { request(Self.timeout) }

    /// A file under guest memory was cut short.
    func requestMemoryLost() { request(Self.lost) }

    /// A device's thread cannot go on; it knows why.
    func requestDeviceEnd() { request(Self.device) }

    /// One of several vCPUs has ended: so do the others, whose own ends count for nothing.
    func requestEndOfAll() { request(Self.ended) }

    /// Asks for a pause, from which the machine may go on. A stop takes its place.
    package func requestPause() { request(Self.pause) }

    /// By the thread that makes the requests, while no vCPU runs.
    package func endPause() {
        _ = event.take()
        if !reason.compareExchange(expected: Self.pause, desired: 0, ordering: .acquiringAndReleasing).exchanged,
            requested != nil
        {
            event.signal()
        }
    }

    private func request(_ value: Int32) {
        if value != Self.pause {
            _ = reason.compareExchange(expected: Self.pause, desired: value, ordering: .acquiringAndReleasing)
        }
        _ = reason.compareExchange(expected: 0, desired: value, ordering: .acquiringAndReleasing)
        event.signal()
    }

    /// Whether the guest, if it has ended, did so by itself: nobody asked for it but a vCPU that had ended, of the others.
    var isGuestsOwnEnd: Bool { [0, Self.ended].contains(reason.load(ordering: .acquiring)) }

    /// The stop that was asked for.
    var requested: Stop? {
        switch reason.load(ordering: .acquiring) {
        case 0: nil
        case Self.timeout: .timedOut
        case Self.lost: .memoryLost
        case Self.device: .hostFailed("a device", errno: 5)  // EIO
        case Self.pause: .paused(byGuest: false)
        case Self.ended: .exited(status: 0)
        case let signal: .signalled(signal)
        }
    }
}
