// The transport's registers: what a driver reads, and what becomes of one that does not keep to the order.
//
// Read next: QueueTests.swift.

import Devices
import Glibc
import GuestMemory
import Host
import Synchronization
import TestSupport
import Testing

@testable import Virtio

@Suite struct RegisterTests {
    @Test func identity() throws {
        let driver = try Driver(.entropy)
        #expect(driver.register(0x00) == 0x7472_6976 && driver.register(0x04) == 2 && driver.register(0x08) == 4)
        #expect(driver.features == 1 << 32)
        #expect(driver.register(Register.queueSizeMaximum) == 256)
        driver.put(register: Register.queueSelect, 1)
        #expect(driver.register(Register.queueSizeMaximum) == 0, "it has one queue")
        driver.put(register: Register.deviceFeaturesSelect, 2)
        #expect(driver.register(Register.deviceFeatures) == 0)
    }

    @Test(
        arguments: [(0x00, 2), (0x00, 8), (0x01, 4), (0x74, 4), (0xfc, 4), (0x100, 1), (0x1f8, 8)] as [(UInt64, Int)])
    func whatIsNotThereIsZero(offset: UInt64, size: Int) throws {
        let driver = try Driver(.entropy)
        #expect(driver.device.read(offset, size: size) == 0)
        #expect(driver.write(offset, size: size, .max) == .done)
    }

    /// What was not offered, and the lack of version 1, leave FEATURES_OK clear.
    @Test(arguments: [(1 << 32, true), (1 << 32 | 1 << 28, false), (0, false), (1, false)] as [(UInt64, Bool)])
    func featuresAreAgreed(features: UInt64, isAgreed: Bool) throws {
        let driver = try Driver(.entropy)
        driver.put(register: Register.status, 3)
        driver.accept(features)
        driver.put(register: Register.status, 11)
        #expect((driver.register(Register.status) == 11) == isAgreed)
        driver.setQueue(0)
        driver.put(register: Register.status, 15)
        driver.offer([], [(Driver.buffers, 16)])
        #expect((driver.turn() == .busy) == isAgreed, "without agreement nothing is served")
    }

    @Test func resetForgetsEverything() throws {
        let driver = try Driver(.entropy)
        driver.bringUp()
        #expect(driver.register(Register.queueReady) == 1)
        driver.offer([], [(Driver.buffers, 16)])
        #expect(driver.turn() == .busy && driver.register(Register.interruptStatus) == 1)
        driver.put(register: Register.status, 0)
        #expect(driver.register(Register.status) == 0 && driver.register(Register.queueReady) == 0)
        #expect(driver.register(Register.interruptStatus) == 0)
        driver.publish(0)
        #expect(driver.turn() == .idle)
        driver.bringUp()
        #expect(driver.register(Register.status) == 15)
    }

    /// While a request is being done there is neither start nor reset; once it is, there is.
    @Test func resetWaitsForARequest() throws {
        try Thread.installKick()
        let pipe = BlockingPipe()
        let driver = try Driver(.console(Console(input: -1, output: pipe.writer)))
        driver.bringUp(queues: 2)
        driver.offer([(Driver.buffers, 0x4_0000)], queue: 1)
        let done = Atomic(false)
        let thread = try Thread {
            while !done.load(ordering: .acquiring) { _ = driver.turn() }
        }
        // Its first bytes are there: the rest will not fit in.
        #expect(wait(for: WaitFor(pipe.reader), nanoseconds: 20_000_000_000).0)
        #expect(driver.put(register: Register.status, 0) == .busy)
        #expect(driver.register(Register.status) == 15)
        for _ in 0..<1000 where driver.put(register: Register.status, 0) == .busy {
            thread.kick()
            usleep(1000)
        }
        #expect(driver.register(Register.status) == 0)
        done.store(true, ordering: .releasing)
        thread.join()
    }

    @Test func interruptIsAcknowledged() throws {
        let driver = try Driver(.entropy)
        driver.bringUp()
        driver.offer([], [(Driver.buffers, 16)])
        #expect(driver.turn() == .busy && driver.device.service.wantsInterrupt)
        driver.put(register: Register.interruptAcknowledge, 2)
        #expect(driver.register(Register.interruptStatus) == 1)
        driver.put(register: Register.interruptAcknowledge, 1)
        #expect(driver.register(Register.interruptStatus) == 0)
        #expect(driver.put(register: Register.queueNotify, 0) == .notified)
    }

    @Test func driverThatWantsNoInterruptGetsNone() throws {
        let driver = try Driver(.entropy)
        driver.bringUp()
        driver.memory.write(1 as UInt16, at: GuestAddress(Driver.place(0) + 0x1000))
        driver.offer([], [(Driver.buffers, 16)])
        #expect(driver.turn() == .busy && !driver.device.service.wantsInterrupt)
        #expect(driver.register(Register.interruptStatus) == 0)
    }

    /// A queue that cannot be: the device needs a reset, and says so by an interrupt.
    @Test(
        arguments: [(3, nil), (0, nil), (512, nil), (8, 0x2_0008), (8, 0x100), (8, .max - 15), (8, 0xf_f000)]
            as [(UInt32, UInt64?)])
    func queuesThatCannotBe(size: UInt32, place: UInt64?) throws {
        let driver = try Driver(.entropy)
        driver.put(register: Register.status, 3)
        driver.accept(driver.features)
        driver.put(register: Register.status, 11)
        driver.setQueue(0, size: size, place: place)
        driver.put(register: Register.status, 15)
        #expect(driver.register(Register.status) == 0x4f && driver.register(Register.interruptStatus) == 2)
        #expect(driver.turn() == .idle)
        driver.bringUp()
        #expect(driver.register(Register.status) == 15, "a reset mends it")
    }
}
