// A guest's half of a ring, that writes whatever it likes, with the host's half turned by hand.
//
// Read next: RingTests.swift.

import CABI
import Devices
import Glibc
import GuestMemory
import Host
import TestSupport

@testable import Rings

/// 1 MiB of memory with a ring in it, a disk of eight sectors as device 0, nothing as device 1, a pipe as device 2.
final class HostileRing {
    let memory: GuestMemory
    private let service: RingService
    let folder = ScratchFolder()
    let pipe = BlockingPipe()
    let entries: UInt32
    static let ring: UInt64 = 0x2_0000
    static let buffer: UInt64 = 0x8_0000
    static let end: UInt64 = 1 << 20
    private(set) var tail: UInt32 = 0
    private(set) var head: UInt32 = 0

    init(entries: UInt32 = 8, devices extra: [RingDevice] = [], end: UInt64 = HostileRing.end) throws {
        memory = try GuestMemory(low: 0x1_0000..<end)
        let path = try folder.file("disk", (0..<4096).map { UInt8(truncatingIfNeeded: $0 / 512 + 1) })
        let disk = try BlockDevice(BlockOption(name: "disk", path: path), isQueued: true)
        let console = Console(input: -1, output: pipe.writer)
        self.entries = entries
        guard let queue = RingQueue(memory, at: GuestAddress(Self.ring), entries: entries) else {
            preconditionFailure("the ring lies in memory")
        }
        service = RingService(queue, [.block(disk), .none, .console(console)] + extra)
    }

    deinit { letGo() }

    func letGo() { service.letGo() }
    func tellLosses() -> RingFailure? { service.tellLosses() }
    func turn(isAwaited: Bool = false) -> RingTurn { service.turn(memory) { isAwaited } }
    var waits: [Int32] { service.waits.map(\.fd) }
    var maySleep: Bool { service.maySleep(memory) }

    func word(_ offset: UInt64) -> UInt32 { memory.read(GuestAddress(Self.ring + offset)) ?? 0 }
    func set(_ value: UInt32, _ offset: UInt64) { memory.write(value, at: GuestAddress(Self.ring + offset)) }

    /// Writes a slot and moves the tail.
    func submit(
        _ operation: Int32, device: UInt32 = 0, buffer: UInt64 = HostileRing.buffer, length: UInt32 = 512,
        id: UInt32 = 7, offset: UInt64 = 0
    ) {
        let entry = swiftlet_ring_entry(
            operation: UInt32(bitPattern: operation), device: device, buffer: buffer, length: length, id: id,
            offset: offset)
        memory.write(entry, at: GuestAddress(Self.ring + 128 + UInt64(tail % entries) * 32))
        tail &+= 1
        set(tail, 0)
    }

    /// The next answer.
    func take() -> swiftlet_ring_completion? {
        if word(68) == head { return nil }
        let slot = 128 + UInt64(entries) * 32 + UInt64(head % entries) * 16
        head &+= 1
        set(head, 4)
        return memory.read(GuestAddress(Self.ring + slot))
    }

    /// Submits, turns, takes: the result. What has to wait for the disk is waited for.
    func result(
        _ operation: Int32, device: UInt32 = 0, buffer: UInt64 = HostileRing.buffer, length: UInt32 = 512,
        offset: UInt64 = 0
    ) -> Int32? {
        submit(operation, device: device, buffer: buffer, length: length, id: tail ^ 0xdead_beef, offset: offset)
        let id = (tail &- 1) ^ 0xdead_beef
        guard turn() == .busy else { return nil }
        for _ in 0..<1000 where word(68) == head && !waits.isEmpty {
            usleep(100)
            _ = turn()
        }
        guard let answer = take(), answer.id == id, take() == nil else { return nil }
        return answer.result
    }
}

/// Memory for a ring that a thread serves.
final class SharedMemory: Sendable {
    let memory: GuestMemory
    static let ring = GuestAddress(0x2_0000)

    init() throws { memory = try GuestMemory(low: 0x1_0000..<0x10_0000) }

    func queue(entries: UInt32) -> RingQueue {
        guard let queue = RingQueue(memory, at: Self.ring, entries: entries) else {
            preconditionFailure("the ring lies in memory")
        }
        return queue
    }
}
