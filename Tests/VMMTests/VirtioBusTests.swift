// The virtio devices of a kernel's machine without a CPU: where they lie, what they are told by, and how they stop.
//
// Read next: Sources/VMM/Devices/VirtioBus.swift, VirtioSlot.swift; ../VirtioTests for queues and requests.

import Boot
import Devices
import Glibc
import GuestMemory
import Host
import TestSupport
import Testing
import X86

@testable import VMM

/// Registers by virtio 1.2, table 4.1.
private enum Register {
    static let (magic, device, driverFeatures, driverSelect): (UInt64, UInt64, UInt64, UInt64) = (0, 8, 0x20, 0x24)
    static let queueSelect: UInt64 = 0x30
    static let (size, ready, status): (UInt64, UInt64, UInt64) = (0x38, 0x44, 0x70)
    static let (descriptors, available, used): (UInt64, UInt64, UInt64) = (0x80, 0x90, 0xa0)
}

/// A machine without a CPU, and a driver of its first device.
private final class Machine {
    let bus: VirtioBus
    let platform: Platform
    private var offered: UInt16 = 0
    static let (queue, buffer, status): (UInt64, UInt64, UInt64) = (0x2_0000, 0x4_0000, 0x5_0000)

    init(_ configuration: Configuration, _ console: Console = Console(input: -1, output: -1)) throws {
        try Thread.installKick()
        bus = try VirtioBus(configuration, console, hasInterrupts: true)
        let none: Range<UInt64> = 0..<0
        platform = Platform(
            memory: try GuestMemory(low: 0..<1 << 20),
            layout: Layout(memorySize: 1 << 20, image: none, stack: none, tables: none, module: none),
            console: console, clock: MachineClock(frequency: 1_000_000_000, hostStart: Clock.tsc(), guestStart: 0),
            control: try StopControl(), quiet: true)
    }

    @discardableResult
    func put(_ offset: UInt64, _ value: UInt64) -> Stop? {
        guard let slot = bus.slot(0xd000_0000 + offset) else { return .timedOut }
        return slot.write(0xd000_0000 + offset, size: 4, value, bus, platform)
    }

    /// With nothing agreed on but version 1.
    func bringUp(queue: UInt64 = 0) {
        for status: UInt64 in [0, 1, 3] { put(Register.status, status) }
        put(Register.driverSelect, 1)
        put(Register.driverFeatures, 1)
        put(Register.status, 11)
        put(Register.queueSelect, queue)
        put(Register.size, 8)
        for (offset, place) in [(Register.descriptors, 0), (Register.available, 0x1000), (Register.used, 0x2000)]
            as [(UInt64, UInt64)]
        {
            put(offset, Self.queue + place)
        }
        put(Register.ready, 1)
        let stop = put(Register.status, 15)
        #expect(stop == nil)
    }

    /// Offers a read of the first sector.
    func readSector() {
        platform.memory.write(99 as UInt8, at: GuestAddress(Self.status))
        offer([(Self.buffer, 16, 1), (Self.buffer + 0x1000, 512, 3), (Self.status, 1, 2)])
    }

    /// Address, length, flags.
    func offer(_ parts: [(UInt64, UInt32, UInt16)]) {
        for (index, (address, length, flags)) in parts.enumerated() {
            let place = GuestAddress(Self.queue + UInt64(16 * index))
            platform.memory.write(address, at: place)
            platform.memory.write(UInt64(length) | UInt64(flags) << 32 | UInt64(index + 1) << 48, at: place + 8)
        }
        offered &+= 1
        platform.memory.write(offered, at: GuestAddress(Self.queue + 0x1002))
        put(0x50, 0)
    }

    /// The request's status; 99 when it has none in 10 s.
    func outcome() -> UInt8 {
        for _ in 0..<10_000 {
            let status: UInt8 = platform.memory.read(GuestAddress(Self.status)) ?? 99
            if status != 99 { return status }
            usleep(1000)
        }
        return 99
    }
}

@Suite struct VirtioBusTests {
    private let folder = ScratchFolder()

    private func configuration(disks: Int = 1) throws -> Configuration {
        var configuration = Configuration(image: "kernel")
        for index in 0..<disks {
            let path = try folder.file("disk\(index)", [UInt8](repeating: UInt8(index + 1), count: 4096))
            configuration.devices.blocks.append(BlockOption(name: "disk\(index)", path: path))
        }
        return configuration
    }

    @Test func devicesAreFoundByTheirAddress() throws {
        var configuration = try configuration(disks: 2)
        configuration.kernel.hasConsole = true
        let bus = try Machine(configuration).bus
        let numbers = (0..<4).map { bus.read(0xd000_0008 + $0 * 0x1000, size: 4) }
        #expect(numbers == [2, 2, 3, 4], "disks, console, entropy")
        #expect(bus.read(0xd000_0000, size: 4) == 0x7472_6976)
        for address in [0xcfff_fffc, 0xd000_4000, 0, .max] as [UInt64] { #expect(bus.read(address, size: 4) == nil) }
        #expect(bus.read(0xd000_3ffc, size: 8) == 0, "behind a device's registers nothing is")
    }

    @Test func theyAreToldOfWithTheirLines() throws {
        let bus = try Machine(configuration(disks: 10)).bus
        let machine = bus.machine(cpus: 3)
        #expect(machine.cpus == 3 && machine.virtio.map(\.line) == [5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17])
        #expect(machine.virtio[10].address == 0xd000_a000)
        #expect(bus.commandLine.hasPrefix("virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=4K@0xd0001000:6 "))
    }

    @Test func thereIsALineForEach() throws {
        #expect(throws: MachineError.self) { try Machine(configuration(disks: 17)) }
        let most = try Machine(configuration(disks: 16)).bus
        #expect(most.slots.count == 17)
        let name = DeviceError.tooManyForLines(17, most: 16).message
        #expect(name == "17 disks and networks: a kernel's machine has interrupt lines for 16")
    }

    @Test func namesAreGivenOnceAndTheImageIsNoDisk() throws {
        var twice = try configuration(disks: 2)
        twice.devices.blocks[1].name = "disk0"
        #expect(throws: MachineError.self) { try Machine(twice) }
        var own = try configuration()
        own.image = own.devices.blocks[0].path
        #expect(throws: MachineError.self) { try Machine(own) }
        own.devices.blocks[0].isReadOnly = true
        _ = try Machine(own)
    }

    @Test func aDiskIsServedFromItsStart() throws {
        let machine = try Machine(configuration())
        machine.bringUp()
        machine.readSector()
        #expect(machine.outcome() == 0)
        #expect(machine.platform.memory.read(GuestAddress(Machine.buffer + 0x1000)) == 1 as UInt8)
        machine.bringUp()  // again, by the same thread
        machine.bus.stop()
        #expect(machine.bus.read(0xd000_0070, size: 4) == 15)
    }

    /// A reset waits for the request that is being done, which a kick ends; a stop ends that wait, and a stuck device's thread.
    @Test func aResetBehindAStuckConsoleCanBeStopped() throws {
        var configuration = Configuration(image: "kernel")
        configuration.kernel.hasConsole = true
        let pipe = BlockingPipe()
        let machine = try Machine(configuration, Console(input: -1, output: pipe.writer))
        machine.bringUp(queue: 1)
        // More than a pipe holds: the thread is stuck in write(2), with nobody to read.
        machine.offer([(Machine.buffer, 0x4_0000, 0)])
        #expect(wait(for: WaitFor(pipe.reader), nanoseconds: 20_000_000_000).0)
        machine.platform.control.request(signal: 2)
        let stop = machine.put(Register.status, 0)
        #expect(stop?.exitStatus == 130)
        machine.bus.stop()
    }
}
