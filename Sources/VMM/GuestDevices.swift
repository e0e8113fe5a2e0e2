// A machine's disks, network interfaces and rings, as its guest knows them: by their numbers in boot info's table.
//
// Nil in a machine whose image declares none, which then executes nothing of this. Read next: Paravirt/DeviceCalls.swift.

import Boot
import CABI
import Devices
import GuestMemory
import Host
import KVM
import Rings
import Synchronization
import X86

package final class GuestDevices: Sendable {
    let list: [RingDevice]
    /// Nil in a machine without KVM.
    private let doorbells: Doorbells?
    private let made = Mutex<[Ring]>([])
    /// Rings whose interrupt is due, by the vCPU that made them.
    let interrupts: [RingInterrupts]
    /// Of the ring that failed first.
    private let failure = Mutex<RingFailure?>(nil)

    init(_ list: [RingDevice], doorbells: Doorbells? = nil, vcpus: Int = 1) throws(KVMError) {
        (self.list, self.doorbells) = (list, doorbells)
        var interrupts: [RingInterrupts] = []
        for _ in 0..<vcpus { interrupts.append(try RingInterrupts()) }
        self.interrupts = interrupts
    }

    /// Opens what the image declares and the user attaches, and tells the guest; nil when that is nothing.
    static func open(
        _ configuration: Configuration, _ source: borrowing ImageFile, _ console: Console,
        _ memory: borrowing GuestMemory, _ vm: borrowing VM
    ) throws(MachineError) -> GuestDevices? {
        if !source.image.declaresDevices, configuration.devices.isEmpty { return nil }
        let notes = try fromImage(source.path, try source.image.deviceNotes())
        let opened: [Device]
        do throws(DeviceError) { opened = try open(configuration, notes) } catch { throw .device(error) }
        var rest = opened.makeIterator()
        let list = notes.map { note in
            note.kind == UInt32(SWIFTLET_DEVICE_CONSOLE) ? .console(console) : RingDevice(rest.next())
        }
        let devices = try fromKVM(try GuestDevices(list, doorbells: vm.doorbells, vcpus: configuration.cpus))
        devices.tell(memory, names: notes.map(\.name))
        return devices
    }

    /// A disk would go on without the guest that was saved, and a network does not know it: the restored guest would be
    /// wrong about both. So nobody is ever between two runs, and the rings' threads have one vCPU's thread to kick.
    private static func open(_ configuration: Configuration, _ notes: [DeviceNote]) throws(DeviceError) -> [Device] {
        if configuration.snapshot != nil { throw .notInSnapshots }
        return try configuration.devices.open(
            notes.compactMap { note in
                DeviceKind(rawValue: note.kind).map { DeclaredDevice(name: note.name, kind: $0) }
            }, image: configuration.image, queues: true)
    }

    /// Writes the table, and its place into boot info.
    func tell(_ memory: borrowing GuestMemory, names: [String]) {
        for (index, (name, device)) in zip(names, list).enumerated() {
            let entry = GuestAddress(
                AddressMap.deviceTable + UInt64(index * MemoryLayout<swiftlet_device>.stride))
            memory.write(device.description, at: entry)
            memory.write(text: name, at: entry)
        }
        let info = AddressMap.bootInfo + UInt64(MemoryLayout<swiftlet_boot_info>.offset(of: \.devices) ?? 0)
        memory.write(AddressMap.deviceTable, at: GuestAddress(info))
        memory.write(UInt64(list.count), at: GuestAddress(info + 8))
    }

    subscript(number: UInt32) -> RingDevice { number < UInt32(list.count) ? list[Int(number)] : .none }

    var rings: [Ring] { made.withLock { $0 } }

    var disks: [BlockDevice] { list.compactMap { if case .block(let disk) = $0 { disk } else { nil } } }

    /// Serves a new ring of these devices; its number.
    func serve(
        _ queue: consuming RingQueue, vector: UInt8, for platform: Platform, vcpu: Int
    ) throws(MachineError) -> UInt32 {
        let service = RingService(queue, list, interrupts: vector != 0)
        return try serve(service, vector: vector, for: platform, vcpu: vcpu)
    }

    /// Serves a new ring on a thread of its own, from the vCPU's; its number.
    func serve(
        _ service: any RingServing, vector: UInt8 = 0, for platform: Platform, vcpu index: Int = 0
    ) throws(MachineError) -> UInt32 {
        let number = rings.count  // ring calls come in turn (Platform.inTurn)
        let (vcpu, place) = (ThreadReference.current, ThreadPlace.current)
        let ring = try makeRing(service, vector: vector) { [interrupts] in
            if interrupts[index].raise(number) { vcpu.kick() }
        }
        let port = UInt16(SWIFTLET_DOORBELL_PORT) + UInt16(number)
        if let doorbells { try fromKVM(try doorbells.attach(ring.doorbell, to: .port(port, size: 4))) }
        let thread = try fromHost(
            try Thread {
                ring.serve(platform.memory, apartFrom: place) { failure in
                    self.failure.withLock { $0 = $0 ?? failure }
                    platform.control.requestDeviceEnd()
                    vcpu.kick()
                }
            })
        ring.adopt(thread)
        made.withLock { $0.append(ring) }
        return UInt32(number)
    }

    private func makeRing(
        _ service: any RingServing, vector: UInt8, interrupt: @escaping @Sendable () -> Void
    ) throws(MachineError) -> Ring {
        let spin = allowedCPUs().count > 1 ? Ring.defaultSpin : 0
        do throws(KVMError) {
            return try Ring(service, spin: spin, vector: vector, interrupt: interrupt)
        } catch { throw .kvm(error) }
    }

    /// Ends the rings' threads, while the vCPU's thread, which they may kick, is not yet joined. Where nobody stopped the guest,
    /// what it has submitted is done, as far as that needs no waiting.
    package func stop(finishing: Bool) {
        let rings = rings
        for ring in rings { ring.requestStop(finishing: finishing) }
        for ring in rings { ring.join() }
    }

    /// What a guest that has ended by itself did not hear of: its console failed, or was too slow, for what it had left in a ring.
    var loss: Stop? {
        let failures = [failure.withLock { $0 }] + rings.map(\.loss)
        return failures.compactMap { failure -> Stop? in
            switch failure {
            case .consoleGone?: .consoleGone
            case .deviceFailed(let part, let errno)?: .hostFailed(part, errno: errno)
            case .broken?, .misuse?, nil: nil
            }
        }.first
    }

    /// How a run ended in which a ring failed; nil when none did, or when the guest ended by itself before.
    func outcome(_ vcpu: VCPUThread) -> Outcome? {
        let outcome = vcpu.outcome
        guard let failure = failure.withLock({ $0 }), outcome.stop.kind == "error" else { return nil }
        func misuse(_ what: String) -> Stop {
            vcpu.loop.withLock { .crashed(Crash(.misuse(what), $0.vcpu, $0.context)) }
        }
        let stop: Stop =
            switch failure {
            case .consoleGone: .consoleGone
            case .broken: misuse("ring: its indices say that it holds more entries than it has slots")
            case .misuse(let what): misuse(what)
            case .deviceFailed(let part, let errno): .hostFailed(part, errno: errno)
            }
        return Outcome(stop: stop, exits: outcome.exits)
    }
}

extension RingDevice {
    fileprivate init(_ device: Device?) {
        switch device {
        case .block(let disk): self = .block(disk)
        case .net(let net): self = .net(net)
        case nil: self = .none
        }
    }

    /// The table's entry, but for the name.
    fileprivate var description: swiftlet_device {
        var entry = swiftlet_device()
        switch self {
        case .none: break
        case .console: entry.kind = UInt32(SWIFTLET_DEVICE_CONSOLE)
        case .block(let disk):
            entry.kind = UInt32(SWIFTLET_DEVICE_BLOCK)
            entry.flags = disk.isReadOnly ? UInt32(SWIFTLET_DEVICE_READ_ONLY) : 0
            entry.capacity = disk.capacity
            entry.sector_size = UInt32(disk.sectorSize)
        case .net(let net):
            entry.kind = UInt32(SWIFTLET_DEVICE_NET)
            entry.mtu = net.mtu
            entry.frame_size = UInt32(net.largestFrame)
            let mac = net.address
            entry.mac = (mac[0], mac[1], mac[2], mac[3], mac[4], mac[5])
        }
        return entry
    }
}
