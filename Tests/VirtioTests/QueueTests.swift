// Virtqueues: chains in every cut, chains that are none, and when to sleep.
//
// Read next: DeviceTests.swift.

import Devices
import GuestMemory
import Host
import Rings
import TestSupport
import Testing

@testable import Virtio

@Suite struct QueueTests {
    @Test func slotsAreUsedAgain() throws {
        let driver = try Driver(.entropy)
        driver.bringUp()
        for round in 0..<100 as Range<UInt16> {
            driver.offer([], [(Driver.buffers, 8)], head: round % 8)
            #expect(driver.turn() == .busy)
            let used = driver.take()
            #expect(used?.head == UInt32(round % 8) && used?.written == 8)
        }
        #expect(driver.take() == nil && driver.turn() == .idle)
        #expect(driver.bytes(Driver.buffers, 8) != [UInt8](repeating: 0, count: 8))
    }

    private static let broken: [(String, @Sendable (Driver) -> Void)] = [
        ("leads out of memory", { $0.offer([], [(Driver.end - 8, 16)]) }),
        ("wraps", { $0.offer([], [(.max - 7, 16)]) }),
        (
            "is to be read behind one to be written",
            {
                $0.describe(0, Driver.buffers, 8, flags: 3, next: 1)
                $0.describe(1, Driver.buffers, 8, flags: 0)
                $0.publish(0)
            }
        ),
        (
            "has no end",
            {
                $0.describe(0, Driver.buffers, 8, flags: 3, next: 0)
                $0.publish(0)
            }
        ),
        ("has a head that is none", { $0.publish(8) }),
        (
            "has a next that is none",
            {
                $0.describe(0, Driver.buffers, 8, flags: 3, next: 8)
                $0.publish(0)
            }
        ),
        (
            "is indirect, which was not offered",
            {
                $0.describe(0, Driver.buffers, 16, flags: 4)
                $0.publish(0)
            }
        ),
        (
            "is more than there can be",
            {
                $0.memory.write(9 as UInt16, at: GuestAddress(Driver.place(0) + 0x1002))
            }
        ),
        ("has nothing to be written", { $0.offer([(Driver.buffers, 8)]) }),
    ]

    @Test(arguments: broken.indices)
    func chainsThatAreNone(index: Int) throws {
        let driver = try Driver(.entropy)
        driver.bringUp()
        Self.broken[index].1(driver)
        #expect(driver.turn() == .busy && driver.device.service.wantsInterrupt, "\(Self.broken[index].0)")
        #expect(driver.register(Register.status) == 0x4f && driver.register(Register.interruptStatus) == 2)
        #expect(driver.turn() == .idle && driver.take() == nil)
    }

    @Test func noSleepWhileThereIsWork() throws {
        let driver = try Driver(.entropy)
        driver.bringUp()
        let flags = Driver.place(0) + 0x2000
        #expect(driver.maySleep())
        #expect(driver.word(flags) == 0, "a notification is wanted")
        driver.device.service.isAwake(driver.memory)
        #expect(driver.word(flags) == 1)
        driver.offer([], [(Driver.buffers, 8)])
        #expect(!driver.maySleep())
        #expect(driver.word(flags) == 1)
    }
}

@Suite struct ChainTests {
    private let driver: Driver

    init() throws { driver = try Driver(.entropy) }

    private func append(_ address: UInt64, _ count: UInt64, isWritable: Bool = false, to chain: inout Chain) {
        let isMemory = chain.append(Buffer(GuestAddress(address), count), isWritable: isWritable, driver.memory)
        #expect(isMemory)
    }

    /// Whatever the cuts: the same bytes.
    @Test(arguments: [[24], [1, 23], [16, 8], [3, 3, 3, 15], [0, 24, 0]] as [[UInt64]])
    func bytesComeFromTheFront(cuts: [UInt64]) {
        let content = (0..<24).map { UInt8($0) }
        var (chain, done): (Chain, Int) = (Chain(head: 0), 0)
        for (index, cut) in cuts.enumerated() {
            let address = 0x2_0000 + UInt64(index) * 0x1000
            driver.put(Array(content[done..<done + Int(cut)]), at: address)
            append(address, cut, to: &chain)
            done += Int(cut)
        }
        let tooMuch = chain.take(25, driver.memory)
        #expect(tooMuch == nil)
        let head = chain.take(8, driver.memory)
        #expect(head?.word(0) == 0x0302_0100 && head?.long(0) == 0x0706_0504_0302_0100)
        chain.drop(4)
        let rest = gather(chain.readable, driver.memory)
        #expect(rest == Array(content[12...]))
    }

    @Test func theLastByteIsTheStatus() {
        var chain = Chain(head: 0)
        let none = chain.takeLastWritable()
        #expect(none == nil)
        append(0x2_0000, 10, isWritable: true, to: &chain)
        append(0x3_0000, 1, isWritable: true, to: &chain)
        let (last, before) = (chain.takeLastWritable(), chain.takeLastWritable())
        #expect(last == GuestAddress(0x3_0000) && before == GuestAddress(0x2_0009) && chain.writableCount == 9)
    }
}
