// The calls of guests with devices: block, net, ring, and polls for rings, by a guest that is a test.

import CABI
import Devices
import Glibc
import GuestMemory
import Host
import Rings
import TestSupport
import Testing

@testable import VMM

/// A guest with a disk of eight sectors as device 0 and a console as device 1.
private final class DiskGuest {
    let folder = ScratchFolder()
    let guest: InventedGuest

    init(isReadOnly: Bool = false) throws {
        let path = try folder.file("disk", (0..<4096).map { UInt8(truncatingIfNeeded: $0 / 512 + 1) })
        var option = BlockOption(name: "disk", path: path)
        option.isReadOnly = isReadOnly
        let list: [RingDevice] = [.block(try BlockDevice(option)), .console(Console())]
        guest = try InventedGuest(devices: try GuestDevices(list))
    }

    deinit { guest.platform.devices?.stop(finishing: false) }

    func block(
        _ operation: Int32, at offset: UInt64, _ length: UInt64, device: UInt32 = 0,
        buffer: UInt64 = InventedGuest.buffer
    ) -> Action {
        guest.call(
            SWIFTLET_CALL_BLOCK,
            swiftlet_block(
                device: device, operation: UInt32(bitPattern: operation), offset: offset, buffer: buffer,
                length: length, result: -99))
    }

    var result: Int64? { guest.result(swiftlet_block.self)?.result }

    func ring(at address: UInt64 = 0x9_0000, _ entries: UInt32 = 8, vector: UInt32 = 0) -> Action {
        guest.call(
            SWIFTLET_CALL_RING,
            swiftlet_ring_setup(address: address, entries: entries, ring: 99, vector: vector, reserved: 0))
    }

    func poll(_ events: UInt32, deadline: UInt64) -> Action {
        guest.call(SWIFTLET_CALL_POLL, swiftlet_poll(deadline: deadline, events: events, ready: 99))
    }
}

@Suite struct BlockCallTests {
    @Test func aDiskIsReadWrittenAndFlushed() throws {
        let disk = try DiskGuest()
        #expect(disk.block(SWIFTLET_BLOCK_READ, at: 512, 1024) == .resume && disk.result == 0)
        #expect(disk.guest.word(InventedGuest.buffer + 512, as: UInt8.self) == 3)
        #expect(disk.block(SWIFTLET_BLOCK_WRITE, at: 0, 512) == .resume && disk.result == 0)
        #expect(disk.block(SWIFTLET_BLOCK_FLUSH, at: 0, 0) == .resume && disk.result == 0)
        #expect(disk.block(SWIFTLET_BLOCK_READ, at: 0, 1) == .resume && disk.result == 0)
        #expect(disk.guest.word(InventedGuest.buffer, as: UInt8.self) == 2)
    }

    @Test func whatCanHappenToACorrectGuestIsAResult() throws {
        let disk = try DiskGuest(isReadOnly: true)
        #expect(disk.block(SWIFTLET_BLOCK_WRITE, at: 0, 512) == .resume)
        #expect(disk.result == Int64(SWIFTLET_READ_ONLY))
        for offset: UInt64 in [4096, 3585, .max, 1 << 63] {
            #expect(disk.block(SWIFTLET_BLOCK_READ, at: offset, 512) == .resume)
            #expect(disk.result == Int64(SWIFTLET_OUT_OF_RANGE))
        }
    }

    @Test(arguments: [
        (SWIFTLET_BLOCK_READ, UInt32(1), "block: device 1 is no disk of this machine's"),
        (SWIFTLET_BLOCK_READ, .max, "block: device 4294967295 is no disk of this machine's"),
        (0, 0, "block: unknown operation 0"), (SWIFTLET_NET_SEND, 0, "block: unknown operation 1"),
        (-1, 0, "block: unknown operation -1"),
    ])
    func misuse(operation: Int32, device: UInt32, words: String) throws {
        let disk = try DiskGuest()
        #expect(disk.block(operation, at: 0, 512, device: device) == .stop)
        #expect(disk.guest.misuse == words)
    }

    @Test(arguments: [0, InventedGuest.end, InventedGuest.end - 511, .max, .max - 511])
    func buffersAreMemory(buffer: UInt64) throws {
        for operation in [SWIFTLET_BLOCK_READ, SWIFTLET_BLOCK_WRITE] {
            let disk = try DiskGuest()
            #expect(disk.block(operation, at: 0, 512, buffer: buffer) == .stop)
            #expect(disk.guest.misuse?.contains("are not in guest memory") == true)
        }
    }

    @Test func withoutDevicesEveryCallIsMisuse() throws {
        for number in [SWIFTLET_CALL_BLOCK, SWIFTLET_CALL_NET, SWIFTLET_CALL_RING] {
            let guest = try InventedGuest()
            #expect(guest.out(SWIFTLET_CALL_PORT + number) == .stop)
            #expect(guest.misuse != nil)
        }
    }

    @Test func aDiskIsNoNetwork() throws {
        let disk = try DiskGuest()
        let call = swiftlet_net(
            device: 0, operation: UInt32(SWIFTLET_NET_SEND), buffer: InventedGuest.buffer, length: 64, deadline: 0,
            result: 0)
        #expect(disk.guest.call(SWIFTLET_CALL_NET, call) == .stop)
        #expect(disk.guest.misuse == "net: device 0 is no network interface of this machine's")
    }
}

@Suite struct RingCallTests {
    static let wrong: [(address: UInt64, entries: UInt32)] = [
        (0x9_0000, 0), (0x9_0000, 3), (0x9_0000, 8192), (0x9_0020, 8), (0, 8), (.max - 63, 8),
        (InventedGuest.end - 64, 8),
    ]

    @Test(arguments: wrong)
    func ringsLieInMemory(address: UInt64, entries: UInt32) throws {
        let disk = try DiskGuest()
        #expect(disk.ring(at: address, entries) == .stop)
        #expect(disk.guest.misuse?.hasPrefix("ring: \(entries) entries at ") == true)
    }

    @Test func eightAreEnough() throws {
        let disk = try DiskGuest()
        for number: UInt32 in 0..<8 {
            #expect(disk.ring(at: 0x9_0000 + UInt64(number) * 4096) == .resume)
            #expect(disk.guest.result(swiftlet_ring_setup.self)?.ring == number)
        }
        #expect(disk.ring() == .stop && disk.guest.misuse == "ring: the machine has 8 already")
    }

    /// Without KVM nobody rings a bell: the thread polls for a while at its start, or the test signals in its place.
    @Test func anAnswerEndsAPoll() throws {
        let disk = try DiskGuest()
        #expect(disk.ring() == .resume)
        let entry = swiftlet_ring_entry(
            operation: UInt32(SWIFTLET_BLOCK_READ), device: 0, buffer: InventedGuest.buffer, length: 512, id: 5,
            offset: 1024)
        disk.guest.platform.memory.write(entry, at: GuestAddress(0x9_0000 + 128))
        disk.guest.platform.memory.write(UInt32(1), at: GuestAddress(0x9_0000))
        disk.guest.platform.devices?.rings.first?.doorbell.signal()
        #expect(disk.poll(0x100, deadline: disk.guest.now + 20_000_000_000) == .resume)
        #expect(disk.guest.result(swiftlet_poll.self)?.ready == 0x100)
        #expect(disk.guest.word(InventedGuest.buffer, as: UInt8.self) == 3)
        #expect(disk.guest.word(0x9_0000 + 128 + 8 * 32, as: UInt64.self) == 5)
        // Not taken, it is there at once; taken, a poll waits.
        #expect(disk.poll(0x100, deadline: 0) == .resume)
        #expect(disk.guest.result(swiftlet_poll.self)?.ready == 0x100)
        disk.guest.platform.memory.write(UInt32(1), at: GuestAddress(0x9_0004))
        #expect(disk.poll(0x100, deadline: disk.guest.now + 1_000_000) == .resume)
        #expect(disk.guest.result(swiftlet_poll.self)?.ready == 0)
    }

    @Test(arguments: [0x200 as UInt32, 0x1_0000, 0x2_0000, 0x8000_0000, 2])
    func pollsForWhatIsNotThereAreMisuse(events: UInt32) throws {
        let disk = try DiskGuest()
        #expect(disk.ring() == .resume)
        #expect(disk.poll(events, deadline: 0) == .stop)
        #expect(disk.guest.misuse?.hasSuffix("name what this machine has not") == true)
    }

    @Test func aBrokenRingAsksForTheEnd() throws {
        let disk = try DiskGuest()
        #expect(disk.ring() == .resume)
        disk.guest.platform.memory.write(UInt32(9), at: GuestAddress(0x9_0000))
        disk.guest.platform.devices?.rings.first?.doorbell.signal()
        // The poll ends because the stop does, long before its deadline.
        #expect(disk.poll(0x100, deadline: disk.guest.now + 20_000_000_000) == .stop)
        #expect(disk.guest.platform.control.requested?.kind == "error")
    }
}
