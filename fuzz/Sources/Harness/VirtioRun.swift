// A virtio device whose driver is the input: registers in any order, and queues, chains and requests of any content.
//
// A disk of 16 KiB in memory, the same for reading only, entropy, and a console that leads nowhere. Whatever the driver does,
// a device that needs a reset serves nothing until it has one, no turn gives back more than it may, and a disk for reading is
// never written. Read next: ../../../Sources/Virtio/QueueService.swift.

import CFuzz
import Devices
import Glibc
import GuestMemory
import Host
import Rings
import Virtio

private let (queue, buffers): (UInt64, UInt64) = (0x2_0000, 0x4_0000)
private let size: UInt64 = 16
private let content = [UInt8](repeating: 0xa5, count: 16384)
private let readOnlyFile: Int32 = {
    let file = cfuzz_memory_file()
    write(file, content, content.count)
    return file
}()
private let readOnlyDisk: BlockDevice? = {
    var option = BlockOption(name: "disk", path: "/proc/self/fd/\(readOnlyFile)")
    option.isReadOnly = true
    return try? BlockDevice(option)
}()
private let sink = open("/dev/null", O_RDWR)

/// The first byte says which device; then each step's says what it is.
public func driveVirtio(_ input: UnsafeBufferPointer<UInt8>) {
    guard let disk = fuzzedDisk, let readOnlyDisk, let memory = try? GuestMemory(low: 0x1_0000..<1 << 20) else {
        return require(false, "a machine")
    }
    var rest = Array(input)[...]
    let backends: [VirtioBackend] = [
        .block(disk), .entropy, .console(Console(input: -1, output: sink)), .block(readOnlyDisk),
    ]
    let device = VirtioDevice(backends[Int(rest.popFirst() ?? 0) % backends.count])
    var run = VirtioRun(device: device)
    while let kind = rest.popFirst() {
        switch kind & 7 {
        case 0: run.register(kind, &rest, memory)
        case 1: run.describe(kind, &rest, memory)
        case 2: run.publish(kind, &rest, memory)
        case 3: run.fill(kind, &rest, memory)
        case 4: run.bringUp(kind, memory)
        default: run.turn(memory)
        }
    }
    var now = [UInt8](repeating: 0, count: content.count)
    require(
        pread(readOnlyFile, &now, now.count, 0) == now.count && now == content, "a disk for reading stays as it was")
}

private struct VirtioRun {
    let device: VirtioDevice
    var offered: UInt16 = 0

    func put(_ offset: UInt64, _ value: UInt64, _ memory: borrowing GuestMemory) {
        require(device.write(offset, size: 4, value, memory) != .busy, "nobody else uses it")
    }

    /// Any register, any value, any size.
    func register(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>, _ memory: borrowing GuestMemory) {
        let offset = UInt64(rest.popFirst() ?? 0) << 1
        let value = number(&rest, bytes: kind & 8 == 0 ? 1 : 4)
        let bytes = kind & 16 == 0 ? 4 : Int(kind >> 5)
        require(device.write(offset, size: bytes, value, memory) != .busy, "nobody else uses it")
        _ = device.read(offset, size: bytes)
    }

    /// Descriptor by number: address, length, flags, next.
    func describe(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>, _ memory: borrowing GuestMemory) {
        let place = GuestAddress(queue + 16 * UInt64(kind >> 4))
        let isWide = kind & 8 != 0
        let address = isWide ? number(&rest, bytes: 8) : buffers + number(&rest, bytes: 2)
        let length = number(&rest, bytes: isWide ? 4 : 2)
        let flags = number(&rest, bytes: 1)
        memory.write(address, at: place)
        memory.write(length | (flags & 7) << 32 | (flags >> 3) << 48, at: place + 8)
    }

    /// Makes a chain available, or lies about how many are.
    mutating func publish(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>, _ memory: borrowing GuestMemory) {
        let head = UInt16(rest.popFirst() ?? 0)
        memory.write(head, at: GuestAddress(queue + 0x1004 + 2 * (UInt64(offered) % size)))
        offered = kind & 8 == 0 ? offered &+ 1 : offered &+ head
        memory.write(offered, at: GuestAddress(queue + 0x1002))
        memory.write(UInt16(kind >> 4 & 1), at: GuestAddress(queue + 0x1000))
    }

    /// A request's head: operation and sector; or a discard's range.
    func fill(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>, _ memory: borrowing GuestMemory) {
        let place = GuestAddress(buffers + UInt64(kind >> 4) * 16)
        let isWide = kind & 8 != 0
        memory.write(number(&rest, bytes: isWide ? 8 : 1), at: place)
        memory.write(number(&rest, bytes: isWide ? 8 : 1), at: place + 8)
    }

    /// As a driver should, with all queues at one place.
    mutating func bringUp(_ kind: UInt8, _ memory: borrowing GuestMemory) {
        for status: UInt64 in [0, 3] { put(0x70, status, memory) }
        let flush: UInt64 = kind & 8 == 0 ? 0 : 1 << 9
        for (half, value) in [(0, flush), (1, 1)] as [(UInt64, UInt64)] {
            put(0x14, half, memory)
            put(0x24, half, memory)
            put(0x20, value & device.read(0x10, size: 4), memory)
        }
        put(0x70, 11, memory)
        for number: UInt64 in [0, 1] {
            put(0x30, number, memory)
            put(0x38, size, memory)
            for (offset, place) in [(0x80, 0), (0x90, 0x1000), (0xa0, 0x2000)] as [(UInt64, UInt64)] {
                put(offset, queue + place, memory)
                put(offset + 4, 0, memory)
            }
            put(0x44, UInt64(kind >> 4 & 1 ^ 1), memory)
        }
        put(0x70, 15, memory)
        offered = 0
        memory.write(0 as UInt32, at: GuestAddress(queue + 0x1000))
        memory.write(0 as UInt32, at: GuestAddress(queue + 0x2000))
    }

    mutating func turn(_ memory: borrowing GuestMemory) {
        let service = device.service
        let before = device.read(0x70, size: 4)
        let turn = service.turn(memory)
        if before & 0x40 != 0 { require(turn == .idle, "a device that needs a reset serves nothing") }
        _ = (service.waits.count, service.isHeldUp, service.wantsInterrupt)
        if service.maySleep(memory) { service.isAwake(memory) }
        for offset: UInt64 in [0x60, 0x70, 0x34, 0x44, 0x100, 0x114] { _ = device.read(offset, size: 4) }
    }

    private func number(_ rest: inout ArraySlice<UInt8>, bytes: Int) -> UInt64 {
        var value: UInt64 = 0
        for shift in 0..<bytes { value |= UInt64(rest.popFirst() ?? 0) << UInt64(8 * shift) }
        return value
    }
}

/// Each operation of a disk in one piece and in several, entropy, a console's lines; broken chains, and lies.
public func virtioSeeds() -> [Seed] {
    /// Head of 16 bytes, data of 512, status: descriptors 0 to 2.
    func request(_ operation: UInt8, sector: UInt8 = 1, reads: Bool = true) -> [UInt8] {
        [0x03, operation, sector, 0x01, 0, 0, 16, 0, 0x01 | 1 << 3, 0x11, 0, 1, 0, 2, (reads ? 3 : 1) | 2 << 3]
            + [0x21, 0, 8, 1, 0, 2, 0x02, 0, 5]
    }
    let life: [UInt8] = [0, 4] + request(0) + request(1, reads: false) + request(4) + request(8) + request(99)
    return [
        ("disk", life), ("for reading", [3] + life.dropFirst()), ("through", [0, 12] + request(1, reads: false)),
        ("discard", [0, 4, 0x13, 0, 2] + request(11, reads: false)), ("outside", [0, 4] + request(0, sector: 99)),
        ("entropy", [1, 4, 0x01, 0, 0, 64, 0, 2, 0x02, 0, 5]), ("console", [2, 4, 0x01, 0, 0, 64, 0, 0, 0x02, 0, 5]),
        ("loop", [1, 4, 0x01, 0, 0, 64, 0, 3, 0x02, 0, 5]), ("lie", [0, 4, 0x0a, 200, 5, 5]),
        ("registers", [1] + (0..<64).flatMap { [8, $0 * 2, 0xff, 0xff, 0xff, 0xff] }),
    ]
}
