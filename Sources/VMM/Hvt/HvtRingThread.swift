// The thread that serves hvt's network ring: it polls for a while, then sleeps until KVM signals the doorbell's eventfd.
//
// It lives as long as the vCPU runs: the vCPU's thread starts it, and joins it before it ends itself. What ends the ring
// ends the machine. Read next: HvtDevices.swift.

import CDevices
import Glibc
import Host
import KVM
import Synchronization

package final class HvtRingThread: Sendable {
    /// KVM signals it for an OUT to the ring's port; to end the thread, we do.
    let doorbell: EventFD
    private let isStopping = Atomic(false)
    private let end = Mutex<HvtRingEnd?>(nil)

    /// How long it polls, in nanoseconds: about what going to sleep and being woken cost.
    private static let patience: UInt64 = 100_000

    /// Every write of 4 bytes to the port rings, whatever its value.
    init(_ vm: borrowing VM) throws(KVMError) {
        doorbell = try EventFD()
        try vm.attach(doorbell, to: .port(HvtRing.port, size: 4))
    }

    /// For tests without a VM.
    init() throws(KVMError) { doorbell = try EventFD() }

    /// On the vCPU's thread.
    func start(_ platform: Platform, _ hvt: Hvt) throws(HostError) -> Thread {
        let vcpu = ThreadReference.current
        return try Thread {
            guard let end = self.serve(platform, hvt) else { return }
            self.end.withLock { $0 = end }
            platform.control.requestDeviceEnd()
            // Again and again: a kick may fall between the vCPU's look for a reason and its call that blocks.
            while !self.isStopping.load(ordering: .acquiring) {
                vcpu.kick()
                _ = wait(for: WaitFor(self.doorbell.fd), nanoseconds: 10_000_000)
                _ = self.doorbell.take()
            }
        }
    }

    /// When the unikernel has halted; what it has sent before is sent. What ended the ring, if anything did.
    func stop(_ thread: consuming Thread) -> HvtRingEnd? {
        isStopping.store(true, ordering: .releasing)
        doorbell.signal()
        thread.join()
        return end.withLock { $0 }
    }

    /// Until the machine's end, or the ring's.
    private func serve(_ platform: Platform, _ hvt: Hvt) -> HvtRingEnd? {
        guard var ring = HvtRing(platform.memory, at: hvt.guest.ring.lowerBound) else { return nil }
        var idleSince: UInt64?
        while true {
            let isLast = isStopping.load(ordering: .acquiring)
            switch ring.turn(platform.memory, hvt) {
            case .busy: idleSince = nil
            case .ended(let end): return end
            case _ where isLast: return nil
            case .full(let fd): sleep(WaitFor(fd, write: true))
            case .idle:
                let now = Clock.monotonic()
                if now - (idleSince ?? now) < Self.patience {
                    idleSince = idleSince ?? now
                    cdevices_pause()
                } else {
                    if ring.maySleep() { sleep(nil) }
                    ring.isAwake()
                    idleSince = nil
                }
            }
        }
    }

    private func sleep(_ room: WaitFor?) {
        _ = wait(for: WaitFor(doorbell.fd), room, nanoseconds: nil)
        _ = doorbell.take()
    }
}

extension RunLoop {
    /// Runs the unikernel with its ring's thread beside it, if it has one.
    mutating func runHvt(_ hvt: Hvt) -> Stop {
        guard let ring = hvt.ring else { return loopHvt(hvt) }
        do throws(HostError) {
            let thread = try ring.start(context.platform, hvt)
            let stop = loopHvt(hvt)
            guard let end = ring.stop(thread), context.platform.control.isDeviceEnd else { return stop }
            switch end {
            case .misuse(let what): return .crashed(Crash(.misuse(what), vcpu, context))
            case .hostFailed(let errno): return .hostFailed("a network interface", errno: errno)
            }
        } catch { return .hostFailed("making a thread", errno: error.errno) }
    }
}
