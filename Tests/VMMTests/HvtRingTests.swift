// hvt's network ring with invented entries: frames both ways, in order; whatever its words say, nothing else is touched.
//
// Read next: InventedUnikernel.swift, Sources/VMM/Hvt/HvtRing.swift.

import GuestMemory
import Host
import CABI
import KVM
import Rings
import Synchronization
import TestSupport
import Testing

@testable import VMM

private struct NoRing: Error {}

/// The unikernel's side of the ring, and the VMM's with its crank.
private final class InventedRing {
    let guest: InventedUnikernel
    let wire = SocketWire()
    let ring: RingService
    private var tail: UInt32 = 0

    static let buffer = InventedUnikernel.buffer

    init() throws {
        guest = try InventedUnikernel(wire: wire)
        guard let ring = HvtRing.service(guest.platform.memory, guest.hvt) else { throw NoRing() }
        self.ring = ring
        devices = try GuestDevices([])
    }

    var memory: Platform { guest.platform }

    func word(_ offset: UInt64) -> UInt32 { memory.memory.read(GuestAddress(guest.ring + offset)) ?? 0xdead }
    func setTail(_ tail: UInt32) { memory.memory.write(tail, at: GuestAddress(guest.ring)) }

    func submit(_ entry: swiftlet_ring_entry) {
        memory.memory.write(entry, at: GuestAddress(guest.ring + 128 + 32 * UInt64(tail % 1024)))
        tail &+= 1
        setTail(tail)
    }

    func submit(_ operation: UInt32, handle: UInt32 = 1, data: UInt64 = buffer, length: UInt32, id: UInt32 = 0) {
        submit(
            swiftlet_ring_entry(
                operation: operation, device: handle, buffer: data, length: length, id: id, offset: 0))
    }

    func frame(_ number: UInt8, _ count: Int = 60) -> [UInt8] { [UInt8](repeating: number, count: count) }
    func put(_ frame: [UInt8], at address: UInt64 = buffer) {
        memory.memory.write(bytes: frame, at: GuestAddress(address))
    }

    func turn() -> RingTurn { ring.turn(memory.memory) }
    func completion(_ index: UInt64) -> swiftlet_ring_completion? {
        memory.memory.read(GuestAddress(guest.ring + 32896 + 16 * (index % 1024)))
    }

    let devices: GuestDevices

    /// On a thread of its own, with the ring as it is.
    func serve() throws -> Ring {
        guard let service = HvtRing.service(memory.memory, guest.hvt) else { throw NoRing() }
        _ = try devices.serve(service, for: guest.platform)
        return devices.rings[0]
    }

    /// What it ended with.
    var end: RingFailure? { if case .ended(let end) = turn() { end } else { nil } }
}

@Suite struct HvtRingTests {
    @Test func frameIsSentWithoutAnAnswer() throws {
        let test = try InventedRing()
        test.put(test.frame(7))
        test.submit(1, length: 60)
        #expect(test.turn() == .busy && test.turn() == .idle)
        #expect(test.wire.receive() == test.frame(7))
        #expect(test.word(64) == 1 && test.word(68) == 0)
    }

    @Test func receiveIsAnsweredAtOnce() throws {
        let test = try InventedRing()
        test.submit(2, length: 1514, id: 41)
        #expect(test.turn() == .busy)
        #expect(test.completion(0)?.id == 41 && test.completion(0)?.result == 1)
        test.wire.send(test.frame(9, 100))
        test.submit(2, length: 1514, id: 42)
        #expect(test.turn() == .busy)
        let answer = test.completion(1)
        #expect(answer?.id == 42 && answer?.result == 0 && answer?.length == 100)
        #expect(test.word(64) == 2 && test.word(68) == 2)
        #expect(test.memory.memory.bytes(GuestAddress(InventedRing.buffer), 101) == test.frame(9, 100) + [0])
    }

    /// Three times around the ring.
    @Test func slotsAreUsedAgain() throws {
        let test = try InventedRing()
        for number in 0..<3000 as Range<UInt32> {
            test.put(test.frame(UInt8(truncatingIfNeeded: number)))
            test.submit(1, length: 60)
            test.submit(2, length: 1514, id: number)
            #expect(test.turn() == .busy)
            #expect(test.wire.receive() == test.frame(UInt8(truncatingIfNeeded: number)))
            #expect(test.completion(UInt64(number))?.id == number)
        }
        #expect(test.turn() == .idle)
        #expect(test.word(64) == 6000 && test.word(68) == 3000)
    }

    /// What finds no room waits, and what is behind it.
    @Test func framesKeepTheirOrderWhenThereIsNoRoom() throws {
        let test = try InventedRing()
        for number in 0..<1024 as Range<UInt32> {
            let place = InventedRing.buffer + UInt64(number) * 64
            test.put(test.frame(UInt8(truncatingIfNeeded: number)), at: place)
            test.submit(1, data: place, length: 60)
        }
        var (received, isFull): (Int, Bool) = (0, false)
        while received < 1024 {
            let turn = test.turn()
            if turn == .busy { continue }
            if case .ended = turn { break }
            isFull = isFull || test.ring.isHeldUp
            while !test.wire.isEmpty {
                #expect(test.wire.receive() == test.frame(UInt8(truncatingIfNeeded: received)))
                received += 1
            }
        }
        #expect(received == 1024 && isFull)
    }

    @Test func otherOperationsAndDevices() throws {
        let test = try InventedRing()
        for operation in [0, 3, .max] as [UInt32] { test.submit(operation, length: 60) }
        for handle in [0, 2, 63, 64, .max] as [UInt32] {
            test.submit(1, handle: handle, length: 60)
            test.submit(2, handle: handle, data: .max, length: .max, id: handle)
        }
        while test.turn() == .busy {}
        #expect(test.turn() == .idle && test.wire.isEmpty)
        #expect(test.word(64) == 13 && test.word(68) == 5)
        #expect((0..<5).allSatisfy { test.completion($0)?.result == 2 })
    }

    @Test(arguments: [1025, 4096, 0x8000_0000, .max] as [UInt32])
    func moreEntriesThanSlots(tail: UInt32) throws {
        let test = try InventedRing()
        test.setTail(tail)
        #expect(test.end == .broken)
    }

    @Test(arguments: [1, 2] as [UInt32])
    func buffersOutsideOfMemory(operation: UInt32) throws {
        let end = InventedUnikernel.end
        // The last two: the ring itself.
        for (data, length) in [
            (end - 60, 60), (end, 0), (.max, 60), (.max - 59, 60), (0, .max), (end, 60), (end + 128, 60),
        ]
            as [(UInt64, UInt32)]
        {
            let test = try InventedRing()
            test.submit(operation, data: data, length: length)
            #expect(test.end == .misuse(invalidAccessWords(data, UInt64(length))))
        }
        let test = try InventedRing()
        test.wire.send(test.frame(1))
        test.submit(2, data: InventedUnikernel.text, length: 1514)
        #expect(test.end == .misuse(invalidAccessWords(InventedUnikernel.text, 1514)))
    }

    @Test(arguments: [0, 13, 1519, 65536] as [UInt32])
    func framesThatAreNone(length: UInt32) throws {
        let test = try InventedRing()
        test.submit(1, length: length)
        #expect(test.end == .misuse("Invalid frame in the guest's ring: \(length) bytes"))
    }

    @Test func noSleepWhileThereIsWork() throws {
        let test = try InventedRing()
        let first = test.ring.maySleep(test.memory.memory)
        #expect(first)
        #expect(test.word(72) == 1)
        test.ring.isAwake(test.memory.memory)
        #expect(test.word(72) == 0)
        test.submit(1, length: 60)
        let second = test.ring.maySleep(test.memory.memory)
        #expect(!second)
        #expect(test.word(72) == 0)
    }
}

@Suite struct HvtRingThreadTests {
    /// As a unikernel does it: kick when that is needed.
    @Test func sleepsUntilTheDoorbell() throws {
        let test = try InventedRing()
        let served = try test.serve()
        for number in 0..<20 as Range<UInt8> {
            if number % 2 == 0 { #expect(eventually { test.word(72) == 1 }) }
            test.put(test.frame(number))
            test.submit(1, length: 60)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            if test.word(72) != 0 { served.doorbell.signal() }
            #expect(test.wire.receive() == test.frame(number))
        }
        test.put(test.frame(99))
        test.submit(1, length: 60)
        test.devices.stop(finishing: true)
        #expect(test.wire.receive() == test.frame(99), "what was sent before the end is sent")
    }

    @Test func itsEndIsTheMachines() throws {
        let test = try InventedRing()
        test.setTail(5000)
        _ = try test.serve()
        #expect(eventually { test.guest.platform.control.requested != nil })
        test.devices.stop(finishing: false)
    }

    /// Within 20 s.
    private func eventually(_ isSo: () -> Bool) -> Bool {
        for _ in 0..<200_000 where !isSo() { _ = wait(for: WaitFor(-1), nanoseconds: 100_000) }
        return isSo()
    }
}
