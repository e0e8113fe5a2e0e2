// A driver without a guest: it brings a device up by its registers and offers chains as Linux does, or as nobody should.
//
// Read next: RegisterTests.swift.

import Devices
import GuestMemory
import Host
import Rings
import TestSupport
import Testing

@testable import Virtio

/// Memory of 1 MiB with queues and buffers at fixed places, and a device.
final class Driver: @unchecked Sendable {
    let memory: GuestMemory
    let device: VirtioDevice
    private var offered: [UInt16] = [0, 0]
    private var seen: [UInt16] = [0, 0]

    static let size: UInt32 = 8
    static let end: UInt64 = 1 << 20
    static let buffers: UInt64 = 0x8_0000

    /// Where a queue lies: descriptors, and at 0x1000 and 0x2000 from there the rings.
    static func place(_ queue: Int) -> UInt64 { 0x2_0000 + UInt64(queue) * 0x4000 }

    init(_ backend: VirtioBackend) throws {
        memory = try GuestMemory(low: 0x1_0000..<Self.end)
        device = VirtioDevice(backend)
    }

    func register(_ offset: UInt64) -> UInt64 { device.read(offset, size: 4) }

    @discardableResult
    func put(register offset: UInt64, _ value: UInt64) -> VirtioWrite { device.write(offset, size: 4, value, memory) }

    var features: UInt64 {
        put(register: Register.deviceFeaturesSelect, 0)
        let low = register(Register.deviceFeatures)
        put(register: Register.deviceFeaturesSelect, 1)
        return low | register(Register.deviceFeatures) << 32
    }

    func accept(_ features: UInt64) {
        for half: UInt64 in 0..<2 {
            put(register: Register.driverFeaturesSelect, half)
            put(register: Register.driverFeatures, features >> (32 * half) & 0xffff_ffff)
        }
    }

    func setQueue(_ queue: Int, size: UInt32 = size, place: UInt64? = nil) {
        let place = place ?? Self.place(queue)
        put(register: Register.queueSelect, UInt64(queue))
        put(register: Register.queueSize, UInt64(size))
        for (offset, address) in [
            (Register.descriptors, place), (Register.available, place &+ 0x1000), (Register.used, place &+ 0x2000),
        ] {
            put(register: offset, address & 0xffff_ffff)
            put(register: offset + 4, address >> 32)
        }
        put(register: Register.queueReady, 1)
    }

    /// Virtio 1.2, section 3.1.1.
    func bringUp(queues: Int = 1, without: UInt64 = 0, size: UInt32 = size) {
        put(register: Register.status, 0)
        put(register: Register.status, 1)
        put(register: Register.status, 3)
        accept(features & ~without)
        put(register: Register.status, 11)
        for queue in 0..<queues { setQueue(queue, size: size) }
        put(register: Register.status, 15)
        (offered, seen) = ([0, 0], [0, 0])
    }

    /// Offers a chain of buffers, the readable ones first; its head is descriptor `head`.
    func offer(
        _ readable: [(UInt64, UInt32)], _ writable: [(UInt64, UInt32)] = [], head: UInt16 = 0, queue: Int = 0
    ) {
        let all = readable.map { ($0, UInt16(0)) } + writable.map { ($0, UInt16(2)) }
        for (index, (buffer, flags)) in all.enumerated() {
            let next: UInt16 = index + 1 < all.count ? 1 : 0
            describe(
                head + UInt16(index), buffer.0, buffer.1, flags: flags | next, next: head + UInt16(index) + 1,
                queue: queue)
        }
        publish(head, queue: queue)
    }

    func describe(
        _ number: UInt16, _ address: UInt64, _ length: UInt32, flags: UInt16, next: UInt16 = 0, queue: Int = 0
    ) {
        let place = GuestAddress(Self.place(queue) + 16 * UInt64(number))
        memory.write(address, at: place)
        memory.write(UInt64(length) | UInt64(flags) << 32 | UInt64(next) << 48, at: place + 8)
    }

    func publish(_ head: UInt16, queue: Int = 0) {
        let ring = Self.place(queue) + 0x1000
        memory.write(head, at: GuestAddress(ring + 4 + 2 * UInt64(offered[queue] % UInt16(Self.size))))
        offered[queue] &+= 1
        memory.write(offered[queue], at: GuestAddress(ring + 2))
    }

    func turn() -> RingTurn { device.service.turn(memory) }
    func maySleep() -> Bool { device.service.maySleep(memory) }
    func write(_ offset: UInt64, size: Int, _ value: UInt64) -> VirtioWrite {
        device.write(offset, size: size, value, memory)
    }
    func word(_ address: UInt64) -> UInt16? { memory.read(GuestAddress(address)) }

    /// The next used chain: head and bytes written.
    func take(queue: Int = 0) -> (head: UInt32, written: UInt32)? {
        let ring = Self.place(queue) + 0x2000
        guard let index: UInt16 = memory.read(GuestAddress(ring + 2)), index != seen[queue] else { return nil }
        let slot = ring + 4 + 8 * UInt64(seen[queue] % UInt16(Self.size))
        seen[queue] &+= 1
        guard let entry: UInt64 = memory.read(GuestAddress(slot)) else { return nil }
        return (UInt32(truncatingIfNeeded: entry), UInt32(truncatingIfNeeded: entry >> 32))
    }

    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] { memory.bytes(GuestAddress(address), count) ?? [] }
    func put(_ bytes: [UInt8], at address: UInt64) { memory.write(bytes: bytes, at: GuestAddress(address)) }
}
