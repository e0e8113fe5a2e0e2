// The devices behind the queues: a disk, a network, a console, entropy; what is right, and what is refused.
//
// Read next: Sources/Virtio/VirtioBackend.swift.

import Devices
import Glibc
import GuestMemory
import Host
import Rings
import TestSupport
import Testing

@testable import Virtio

private final class Disk {
    let folder = ScratchFolder()
    let driver: Driver
    static let status = Driver.buffers + 0x1_0000

    init(isReadOnly: Bool = false) throws {
        let path = try folder.file("disk", (0..<8192).map { UInt8(truncatingIfNeeded: $0 / 512 + 1) })
        var option = BlockOption(name: "disk", path: path)
        option.isReadOnly = isReadOnly
        driver = try Driver(.block(try BlockDevice(option)))
        driver.bringUp()
    }

    init(_ driver: Driver) { self.driver = driver }

    /// The status of a request, with its data in two buffers; 99 when it got none.
    func request(_ operation: UInt32, sector: UInt64, data: [UInt8] = [], reads count: UInt32 = 0) -> UInt8 {
        driver.memory.write(operation, at: GuestAddress(Driver.buffers))
        driver.memory.write(sector, at: GuestAddress(Driver.buffers + 8))
        driver.put(data, at: Driver.buffers + 0x1000)
        driver.put([99], at: Self.status)
        let half = UInt32(data.count) / 2
        driver.offer(
            [(Driver.buffers, 16), (Driver.buffers + 0x1000, half), (Driver.buffers + 0x1000 + UInt64(half), half)],
            [(Driver.buffers + 0x1000, count), (Self.status, 1)])
        _ = driver.turn()
        guard driver.take() != nil else { return 99 }
        return driver.bytes(Self.status, 1)[0]
    }

    var data: [UInt8] { driver.bytes(Driver.buffers + 0x1000, 1024) }
}

@Suite struct BlockDeviceTests {
    @Test func configuration() throws {
        let driver = try Disk().driver
        #expect(driver.device.read(0x100, size: 8) == 16, "sectors")
        #expect(driver.register(0x100 + 20) == 512 && driver.register(0x100 + 12) == 254)
        #expect(driver.features & (1 << 5) == 0)
        #expect(try Disk(isReadOnly: true).driver.features & (1 << 5 | 1 << 13) == 1 << 5)
    }

    @Test func dataGoesBothWays() throws {
        let disk = try Disk()
        #expect(disk.request(0, sector: 2, reads: 1024) == 0)
        #expect(disk.data == [UInt8](repeating: 3, count: 512) + [UInt8](repeating: 4, count: 512))
        let new = (0..<1024).map { UInt8(truncatingIfNeeded: $0 * 7) }
        #expect(disk.request(1, sector: 4, data: new) == 0)
        #expect(disk.request(4, sector: 0) == 0)
        #expect(disk.request(0, sector: 4, reads: 1024) == 0 && disk.data == new)
        #expect(disk.request(0, sector: 3, reads: 512) == 0 && disk.data.first == 4)
    }

    @Test func discardMakesZeros() throws {
        let disk = try Disk()
        var range = [UInt8](repeating: 0, count: 16)
        (range[0], range[8]) = (0, 8)  // from sector 0, 8 sectors
        #expect(disk.request(11, sector: 0, data: range) == 0)
        #expect(disk.request(0, sector: 0, reads: 512) == 0 && Set(disk.data.prefix(512)) == [0])
        #expect(disk.request(0, sector: 8, reads: 512) == 0 && disk.data.first == 9)
        range = [UInt8](repeating: 0xff, count: 16)
        #expect(disk.request(11, sector: 0, data: range) == 1)
        #expect(disk.request(11, sector: 0, data: [UInt8](repeating: 0, count: 16 * 17 + 1)) != 0)
    }

    @Test(arguments: [(16, 512), (15, 1024), (.max, 512), (1 << 55, 512)] as [(UInt64, UInt32)])
    func whatLiesOutsideFails(sector: UInt64, count: UInt32) throws {
        let disk = try Disk()
        #expect(disk.request(0, sector: sector, reads: count) == 1)
        #expect(disk.request(1, sector: sector, data: [UInt8](repeating: 0, count: Int(count))) == 1)
    }

    /// A driver that has not agreed on flushes has what is done on the disk.
    @Test(.requiresFuse, arguments: [true, false])
    func writesGoThroughForADriverWithoutFlushes(agreesOnFlushes: Bool) throws {
        let faulty = try FaultyDisk(size: 8192, .writeBack)
        let driver = try Driver(.block(try BlockDevice(BlockOption(name: "disk", path: faulty.path))))
        driver.bringUp(without: agreesOnFlushes ? 0 : 1 << 9)
        let disk = Disk(driver)
        #expect(disk.request(1, sector: 1, data: [UInt8](repeating: 7, count: 512)) == 0)
        #expect((faulty.durable[512] == 7) == !agreesOnFlushes)
        #expect(disk.request(4, sector: 0) == 0 && faulty.durable[512] == 7)
        faulty.fail(.flush)
        #expect(disk.request(4, sector: 0) == 1, "a flush that fails is told")
        #expect(disk.request(1, sector: 1, data: [UInt8](repeating: 8, count: 512)) == (agreesOnFlushes ? 0 : 1))
    }

    /// A read of 95 MiB, which would keep whoever stops the machine waiting, is refused, and one of 24 MiB is not.
    @Test func whatARequestMayHaveIsLimited() throws {
        let folder = ScratchFolder()
        let path = try folder.file("disk", [])
        #expect(truncate(path, 200 << 20) == 0)
        let driver = try Driver(.block(try BlockDevice(BlockOption(name: "disk", path: path))))
        driver.bringUp(size: 256)
        #expect(driver.register(0x100 + 8) == 1 << 18 && driver.register(0x100 + 12) == 254)
        for (index, pieces) in [64, 254].enumerated() {
            driver.put([UInt8](repeating: 0, count: 16), at: 0x1_0000)
            driver.put([99], at: Disk.status)
            let data = [(UInt64, UInt32)](repeating: (Driver.buffers, 3 << 17), count: pieces)
            driver.offer([(0x1_0000, 16)], data + [(Disk.status, 1)])
            #expect(driver.turn() == .busy && driver.bytes(Disk.status, 1) == [UInt8(index)])
        }
    }

    @Test func readOnlyIsReadOnly() throws {
        let disk = try Disk(isReadOnly: true)
        #expect(disk.request(1, sector: 0, data: [UInt8](repeating: 0, count: 512)) == 1)
        #expect(disk.request(0, sector: 0, reads: 512) == 0)
    }

    @Test func otherOperations() throws {
        let disk = try Disk()
        #expect(disk.request(8, sector: 0, reads: 20) == 0)
        #expect(Array(disk.data.prefix(9)) == Array("swiftlet\0".utf8))
        #expect(disk.request(99, sector: 0) == 2)
    }

    @Test func requestWithoutHeaderOrStatus() throws {
        for (readable, writable) in [(15 as UInt32, 1 as UInt32), (16, 0)] {
            let disk = try Disk()
            disk.driver.offer([(Driver.buffers, readable)], [(Disk.status, writable)])
            #expect(disk.driver.turn() == .busy && disk.driver.register(Register.status) == 0x4f)
        }
    }
}

@Suite struct NetDeviceTests {
    private let wire = SocketWire()
    private let driver: Driver
    private let header = [UInt8](repeating: 0, count: 12)

    init() throws {
        driver = try Driver(.net(wire.device()))
        driver.bringUp(queues: 2)
    }

    private func frame(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0) } }

    @Test func configuration() {
        #expect(driver.device.read(0x100, size: 4) == 2 && driver.device.read(0x105, size: 1) == 1)
        #expect(driver.device.read(0x106, size: 2) == 1 && driver.device.read(0x10a, size: 2) == 1500)
    }

    /// In one buffer, with the header apart, and in pieces.
    @Test(arguments: [[112], [12, 100], [5, 7, 60, 40]] as [[UInt32]])
    func frameIsSentWithoutItsHeader(cuts: [UInt32]) {
        driver.put(header + frame(100), at: Driver.buffers)
        var place = Driver.buffers
        let pieces = cuts.map { cut in
            defer { place += UInt64(cut) }
            return (place, cut)
        }
        driver.offer(pieces, queue: 1)
        #expect(driver.turn() == .busy)
        #expect(wire.receive() == frame(100))
        #expect(driver.take(queue: 1)?.written == 0)
    }

    @Test(arguments: [[1530], [12, 1518], [700, 830]] as [[UInt32]])
    func frameIsReceivedBehindAHeader(cuts: [UInt32]) {
        var place = Driver.buffers
        let pieces = cuts.map { cut in
            defer { place += UInt64(cut) }
            return (place, cut)
        }
        driver.offer([], pieces, queue: 0)
        #expect(driver.turn() == .idle)
        #expect(driver.device.service.waits.count == 1 && driver.maySleep())
        wire.send(frame(200))
        #expect(driver.turn() == .busy)
        #expect(driver.take()?.written == 212)
        #expect(driver.bytes(Driver.buffers, 212) == [UInt8](repeating: 0, count: 10) + [1, 0] + frame(200))
    }

    @Test(arguments: [13, 1519])
    func whatIsNoFrameIsLost(count: UInt32) {
        driver.offer([(Driver.buffers, 12 + count)], queue: 1)
        #expect(driver.turn() == .busy && wire.isEmpty)
        #expect(driver.take(queue: 1) != nil && driver.register(Register.status) == 15)
    }

    @Test func buffersThatAreTooSmall() {
        driver.offer([], [(Driver.buffers, 1000)])
        #expect(driver.turn() == .busy && driver.register(Register.status) == 0x4f)
    }
}

@Suite struct ConsoleDeviceTests {
    private let input = BlockingPipe()
    private let output = BlockingPipe()
    private let driver: Driver

    init() throws {
        signal(SIGPIPE, SIG_IGN)
        driver = try Driver(.console(Console(input: input.reader, output: output.writer)))
        driver.bringUp(queues: 2)
    }

    @Test func bytesGoBothWays() {
        driver.put(Array("hello, world".utf8), at: Driver.buffers)
        driver.offer([(Driver.buffers, 7), (Driver.buffers + 7, 5)], queue: 1)
        #expect(driver.turn() == .busy && output.readText() == "hello, world")
        driver.offer([], [(Driver.buffers, 64)])
        #expect(driver.turn() == .idle && driver.device.service.waits.map(\.fd) == [input.reader])
        input.write("typed")
        #expect(driver.turn() == .busy && driver.take()?.written == 5)
        #expect(driver.bytes(Driver.buffers, 5) == Array("typed".utf8))
    }

    @Test func nobodyReadsAnyMore() {
        output.closeReader()
        driver.offer([(Driver.buffers, 7)], queue: 1)
        #expect(driver.turn() == .ended(.consoleGone))
    }

    /// A pipe that is full takes a part: the rest is written when there is room, and nothing twice.
    @Test func slowReaderGetsEveryByteOnce() {
        _ = fcntl(output.writer, F_SETFL, O_NONBLOCK)
        let text = (0..<0x4_0000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        driver.put(text, at: Driver.buffers)
        driver.offer([(Driver.buffers, UInt32(text.count))], queue: 1)
        var received: [UInt8] = []
        for _ in 0..<1000 where received.count < text.count {
            if driver.turn() == .idle { #expect(driver.device.service.isHeldUp) }
            received += output.readBytes()
        }
        #expect(received == text && driver.take(queue: 1) != nil)
    }
}
