// A virtio device in its place: its thread, its doorbell, its interrupt line. All three come when its driver starts it.
//
// So a kernel without a driver has none of them, and its start pays for none. The doorbell is an ioeventfd on the notify
// register and the interrupt an irqfd: in steady state neither is an exit to us. Read next: ../../Virtio/SplitQueue.swift.

import Glibc
import Host
import KVM
import Rings
import Synchronization
import Virtio

final class VirtioSlot: Sendable {
    let device: VirtioDevice
    let address: UInt64
    let line: UInt32
    private let ring = Mutex<Ring?>(nil)

    init(_ backend: VirtioBackend, _ address: UInt64, line: UInt32) {
        (device, self.address, self.line) = (VirtioDevice(backend), address, line)
    }

    /// On a vCPU's thread. A write that has to wait for a request ends with the machine at the latest; a pause waits for it, or
    /// the vCPU would go on without it.
    func write(_ address: UInt64, size: Int, _ value: UInt64, _ bus: VirtioBus, _ platform: Platform) -> Stop? {
        while true {
            switch device.write(address - self.address, size: size, value, platform.memory) {
            case .done: return nil
            case .notified:
                ring.withLock { $0?.doorbell.signal() }
                return nil
            case .started:
                do throws(MachineError) { try serve(bus, platform) } catch {
                    return .hostFailed("starting a virtio device", errno: error.errno)
                }
                return nil
            case .busy:
                ring.withLock { $0?.kick() }
                _ = wait(for: WaitFor(platform.control.event.fd), nanoseconds: 1_000_000)
                switch platform.control.requested {
                case nil, .paused?: break
                case let stop?: return stop
                }
            }
        }
    }

    /// Has the device served from now on: the first time by a new thread.
    private func serve(_ bus: VirtioBus, _ platform: Platform) throws(MachineError) {
        try ring.withLock { ring throws(MachineError) in
            if ring == nil { ring = try start(bus, platform) }
            ring?.doorbell.signal()
        }
    }

    private func start(_ bus: VirtioBus, _ platform: Platform) throws(MachineError) -> Ring {
        let interrupt = try fromKVM(try Interrupt())
        let ring = try fromKVM(try Ring(device.service, spin: spin) { interrupt.event.signal() })
        if let lines = bus.lines { try fromKVM(try lines.attach(interrupt.event, to: line)) }
        let doorbell = Doorbell.memory(address + VirtioDevice.notifyOffset, size: 4)
        if let doorbells = bus.doorbells { try fromKVM(try doorbells.attach(ring.doorbell, to: doorbell)) }
        let vcpu = ThreadReference.current
        let thread = try fromHost(
            try Thread {
                ring.serve(platform.memory) { failure in
                    bus.fails(failure)
                    platform.control.requestDeviceEnd()
                    vcpu.kick()
                }
            })
        ring.adopt(thread)
        return ring
    }

    /// Polling is for devices that are waited for, where the guest does not need the CPU itself.
    private var spin: UInt64 {
        switch device.backend {
        case .block, .net: allowedCPUs().count > 1 ? Ring.defaultSpin : 0
        case .console, .entropy: 0
        }
    }

    /// The request that is being done comes to its end, or is interrupted; nothing behind it is begun.
    func requestStop() {
        device.service.hold()
        ring.withLock { $0 }?.requestStop(finishing: false)
    }

    /// Once its end was asked for.
    func join() { ring.withLock { $0 }?.join() }
}

/// What a device's thread raises its line by.
private final class Interrupt: Sendable {
    let event: EventFD
    init() throws(KVMError) { event = try EventFD() }
}
