// Rings as a correct guest uses them and as a hostile one does: every field of an entry, every index of the header.

import CABI
import Devices
import Foundation
import Glibc
import GuestMemory
import Host
import Synchronization
import TestSupport
import Testing

@testable import Rings

@Suite struct RingTests {
    @Test func whatBecameOfAFrameHasOneNumber() {
        let failures: [(FrameResult, Int32)] = [
            (.malformed, SWIFTLET_BAD_ENTRY), (.down, SWIFTLET_LINK_DOWN), (.gone, SWIFTLET_DEVICE_GONE),
            (.failed(errno: EPERM), SWIFTLET_IO_ERROR),
        ]
        for (result, code) in failures { #expect(result.failure == code) }
        for result in [FrameResult.done(60), .notReady, .interrupted] { #expect(result.failure == nil) }
    }

    @Test func aDiskIsReadAndWritten() throws {
        let ring = try HostileRing()
        #expect(ring.result(SWIFTLET_BLOCK_READ, length: 1024, offset: 512) == 0)
        #expect(ring.memory.bytes(GuestAddress(HostileRing.buffer), 513)?.last == 3)
        #expect(ring.result(SWIFTLET_BLOCK_WRITE, offset: 0) == 0)
        #expect(ring.result(SWIFTLET_BLOCK_FLUSH, length: 0) == 0)
        #expect(ring.result(SWIFTLET_BLOCK_READ, buffer: HostileRing.buffer + 4096, offset: 0) == 0)
        #expect(ring.memory.read(GuestAddress(HostileRing.buffer + 4096), as: UInt8.self) == 2)
        #expect(ring.result(SWIFTLET_BLOCK_DISCARD, offset: 0) == 0)
        #expect(ring.turn() == .idle)
    }

    @Test(arguments: [
        (SWIFTLET_BLOCK_READ, UInt32(1), HostileRing.buffer, UInt32(512), UInt64(0)),
        (SWIFTLET_BLOCK_READ, 2, HostileRing.buffer, 512, 0), (SWIFTLET_BLOCK_READ, 3, HostileRing.buffer, 512, 0),
        (SWIFTLET_BLOCK_READ, .max, HostileRing.buffer, 512, 0), (0, 0, HostileRing.buffer, 512, 0),
        (-1, 0, HostileRing.buffer, 512, 0), (SWIFTLET_NET_SEND, 0, HostileRing.buffer, 512, 0),
        (SWIFTLET_CONSOLE_WRITE, 0, HostileRing.buffer, 512, 0), (SWIFTLET_BLOCK_WRITE, 0, 0, 512, 0),
        (SWIFTLET_BLOCK_READ, 0, HostileRing.end - 511, 512, 0), (SWIFTLET_BLOCK_READ, 0, .max, 512, 0),
        (SWIFTLET_BLOCK_READ, 0, .max - 511, 512, 0), (SWIFTLET_BLOCK_WRITE, 0, 0x1_0000, .max, 0),
        (SWIFTLET_CONSOLE_WRITE, 2, HostileRing.end, 1, 0),
    ])
    func badEntriesAreAnswered(_ entry: (Int32, UInt32, UInt64, UInt32, UInt64)) throws {
        let ring = try HostileRing()
        let result = ring.result(entry.0, device: entry.1, buffer: entry.2, length: entry.3, offset: entry.4)
        #expect(result == SWIFTLET_BAD_ENTRY)
        #expect(ring.result(SWIFTLET_BLOCK_READ) == 0)
    }

    @Test(arguments: [4096 as UInt64, 3585, .max, .max - 511, 1 << 63])
    func whatLiesBeyondTheDiskIsAnswered(_ offset: UInt64) throws {
        let ring = try HostileRing()
        for operation in [SWIFTLET_BLOCK_READ, SWIFTLET_BLOCK_WRITE, SWIFTLET_BLOCK_DISCARD] {
            #expect(ring.result(operation, offset: offset) == SWIFTLET_OUT_OF_RANGE)
        }
    }

    @Test func indicesWrap() throws {
        let ring = try HostileRing(entries: 4)
        for round in 0..<1000 {
            for _ in 0..<4 { ring.submit(SWIFTLET_BLOCK_READ, id: UInt32(round)) }
            #expect(ring.turn() == .busy)
            for _ in 0..<4 { #expect(ring.take()?.id == UInt32(round)) }
            #expect(ring.take() == nil)
        }
    }

    /// More entries than slots; answers taken that were not given; both from far away.
    @Test(arguments: [
        (5 as UInt32, 0 as UInt32), (.max, 0), (1 << 31, 0), (0x8000_0004, 0), (1, 1), (4, .max),
        (2, 1 << 31),
    ])
    func indicesThatCannotBeTrueBreakTheRing(tail: UInt32, head: UInt32) throws {
        let ring = try HostileRing(entries: 4)
        ring.set(tail, 0)
        ring.set(head, 4)
        #expect(ring.turn() == .ended(.broken))
    }

    /// The host's line is the guest's to write too: that changes nothing but what the guest sees.
    @Test func theHostsWordsAreItsOwn() throws {
        let ring = try HostileRing()
        for garbage: UInt32 in [0, 1, 77, .max] {
            ring.set(garbage, 64)
            ring.set(garbage, 72)
            #expect(ring.result(SWIFTLET_BLOCK_READ) == 0)
        }
    }

    @Test func ringsLieInMemory() throws {
        let memory = try GuestMemory(low: 0x1_0000..<0x10_0000)
        func make(_ address: UInt64, _ entries: UInt32) -> Bool {
            RingQueue(memory, at: GuestAddress(address), entries: entries) != nil
        }
        #expect(make(0x10_0000 - 128 - 48 * 16 & ~63, 16) && make(0x1_0000, 2) && make(0x1_0000, 4096))
        for entries: UInt32 in [0, 1, 3, 6, 8192, .max, 1 << 31] { #expect(!make(0x1_0000, entries)) }
        for address: UInt64 in [0, 0x1_0001, 0x1_0020, 0x10_0000, .max & ~63, 0x10_0000 - 64] {
            #expect(!make(address, 16))
        }
    }

    @Test func itSleepsOnlyWhenThereIsNothing() throws {
        let ring = try HostileRing()
        #expect(ring.maySleep && ring.word(72) == 1)
        ring.submit(SWIFTLET_BLOCK_READ)
        #expect(!ring.maySleep && ring.word(72) == 0)
    }

    @Test func theConsoleIsWritten() throws {
        let ring = try HostileRing()
        ring.memory.write(bytes: Array("hello".utf8), at: GuestAddress(HostileRing.buffer))
        #expect(ring.result(SWIFTLET_CONSOLE_WRITE, device: 2, length: 5) == 0)
        #expect(ring.pipe.readText() == "hello")
        ring.pipe.closeReader()
        signal(SIGPIPE, SIG_IGN)
        ring.submit(SWIFTLET_CONSOLE_WRITE, device: 2, length: 5)
        #expect(ring.turn() == .ended(.consoleGone))
    }

    @Test func aThreadServesUntilItIsStopped() throws {
        let memory = try SharedMemory()
        let ring = SharedMemory.ring
        let served = try Ring(RingService(memory.queue(entries: 8), []), spin: 1000)
        let thread = try Thread { served.serve(memory.memory) { _ in } }
        served.adopt(thread)
        for tail: UInt32 in 1...5 {
            usleep(2000)  // most of the time it sleeps
            #expect(served.await() || tail > 1)
            memory.memory.write(tail, at: ring)
            served.doorbell.signal()
            var waited = WaitSet()
            waited.add(WaitFor(served.answered.fd))
            let answered = GuestAddress(ring.rawValue + 68)
            while memory.memory.read(answered, as: UInt32.self) != tail { _ = waited.wait(nanoseconds: 1_000_000_000) }
            #expect(served.endAwait())
        }
        served.stop()
        served.stop()
    }
}

@Suite(.requiresTaps) struct NetRingTests {
    private let frame: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5] + (0..<50).map { UInt8($0) }

    /// Turns until an answer comes, for at most some seconds.
    private func answer(_ ring: HostileRing, _ id: UInt32) -> swiftlet_ring_completion? {
        for _ in 0..<5000 {
            _ = ring.turn()
            if let answer = ring.take() { return answer }
            usleep(1000)
        }
        return nil
    }

    @Test func receivesWaitWhileSendsGoOn() throws {
        let net = try NetDevice(NetOption(name: "net", interface: nil))
        let host = HostEnd(net.interface)
        let ring = try HostileRing(devices: [.net(net)])
        ring.submit(SWIFTLET_NET_RECEIVE, device: 3, buffer: HostileRing.buffer, length: 2000, id: 1)
        ring.submit(SWIFTLET_NET_RECEIVE, device: 3, buffer: HostileRing.buffer + 4096, length: 2000, id: 2)
        #expect(ring.result(SWIFTLET_NET_RECEIVE, device: 3, length: 100) == nil)
        // The host's own greetings (IPv6) may have come; so answers are looked for by id and content.
        ring.memory.write(bytes: frame, at: GuestAddress(HostileRing.buffer + 8192))
        ring.submit(
            SWIFTLET_NET_SEND, device: 3, buffer: HostileRing.buffer + 8192, length: UInt32(frame.count), id: 9)
        var ids: Set<UInt32> = []
        while !ids.contains(9), let next = answer(ring, 9) { ids.insert(next.id) }
        #expect(ids.contains(9) && host.receive { $0 == frame })
    }

    @Test func framesArriveInOrder() throws {
        let net = try NetDevice(NetOption(name: "net", interface: nil))
        let host = HostEnd(net.interface)
        let ring = try HostileRing(entries: 16, devices: [.net(net)])
        var next: UInt8 = 0
        for slot: UInt32 in 0..<8 { receive(ring, slot) }
        for number: UInt8 in 0..<100 {
            host.send(Array(frame.dropLast()) + [number])
            while next <= number {
                guard let done = answer(ring, 0), done.result == 0 else { break }
                let bytes = ring.memory.bytes(GuestAddress(HostileRing.buffer + UInt64(done.id) * 4096), 64) ?? []
                receive(ring, done.id)
                if bytes.prefix(14) != frame.prefix(14) { continue }
                #expect(done.length == 64 && bytes.last == next)
                next += 1
            }
        }
        #expect(next == 100)
    }

    private func receive(_ ring: HostileRing, _ slot: UInt32) {
        let buffer = HostileRing.buffer + UInt64(slot) * 4096
        ring.submit(SWIFTLET_NET_RECEIVE, device: 3, buffer: buffer, length: 4096, id: slot)
    }

    @Test func anInterfaceThatGoesEndsWhatWaits() throws {
        let net = try NetDevice(NetOption(name: "net", interface: nil))
        let ring = try HostileRing(devices: [.net(net)])
        for slot: UInt32 in 0..<3 { receive(ring, slot) }
        _ = ring.turn()
        deleteInterface(net.interface)
        var gone = 0
        while let done = answer(ring, 0) {
            if done.result == SWIFTLET_DEVICE_GONE { gone += 1 }
            if gone > 0, ring.waits.isEmpty, ring.turn() == .idle { break }
        }
        #expect(gone > 0 && ring.waits.isEmpty)
    }
}
