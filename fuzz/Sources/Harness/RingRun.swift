// A ring whose memory is the input's: indices, entries, and what changes between two turns of the crank.
//
// The devices are a disk of 16 KiB in memory, with an io_uring where there is one, and a console that leads nowhere.
// Whatever the guest writes, what lies around its buffers and the ring stays as it was, and answers come only into their
// slots. A ring's thread ends with the first broken turn: a disk's read that is under way may still mend the words it saw.
// Read next: ../../../Sources/Rings/RingService.swift.

import CABI
import CFuzz
import Devices
import Glibc
import GuestMemory
import Host
import Rings

private let ring: UInt64 = 0x2_0000
private let entries: UInt32 = 8
private let memorySize: UInt64 = 1 << 20
private let diskSize = 16384

/// A disk without a name in any folder.
let fuzzedDisk: BlockDevice? = makeDisk(isQueued: false)

private func makeDisk(isQueued: Bool) -> BlockDevice? {
    let file = cfuzz_memory_file()
    defer { close(file) }
    ftruncate(file, off_t(diskSize))
    return try? BlockDevice(BlockOption(name: "disk", path: "/proc/self/fd/\(file)"), isQueued: isQueued)
}
private let null = open("/dev/null", O_RDWR)

/// The first byte of each step says what it is: a word of the header, an entry, or a turn.
public func turnRing(_ input: UnsafeBufferPointer<UInt8>) {
    guard let disk = makeDisk(isQueued: true), let memory = try? GuestMemory(low: 0x1_0000..<memorySize) else {
        return require(false, "a machine")
    }
    let sink = Console(input: -1, output: null)
    guard let queue = RingQueue(memory, at: GuestAddress(ring), entries: entries) else {
        return require(false, "a ring")
    }
    let service = RingService(queue, [.block(disk), .console(sink), .none])
    defer { service.letGo() }
    var rest = Array(input)[...]
    var answers: UInt32 = 0
    while let kind = rest.popFirst() {
        switch kind & 3 {
        case 0: word(kind, &rest, memory)
        case 1: entry(kind, &rest, memory)
        default:
            let turn = service.turn(memory)
            let given = service.given
            // A turn does 64 entries at most, and some may have been under way.
            require(given &- answers <= 64 + entries || turn == .ended(.broken), "an answer for each entry")
            answers = given
            _ = (service.waits.count, service.isHeldUp, service.maySleep(memory), service.view?.hasAnswers)
            if turn == .ended(.broken) { return }
        }
    }
}

private func number(_ rest: inout ArraySlice<UInt8>, bytes: Int) -> UInt64 {
    var value: UInt64 = 0
    for shift in 0..<bytes { value |= UInt64(rest.popFirst() ?? 0) << UInt64(8 * shift) }
    return value
}

/// Any of the header's words, the host's too.
private func word(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>, _ memory: borrowing GuestMemory) {
    let offset: UInt64 = [0, 4, 64, 72][Int(kind >> 3 & 3)]
    memory.write(
        UInt32(truncatingIfNeeded: number(&rest, bytes: kind & 4 == 0 ? 1 : 4)), at: GuestAddress(ring + offset))
}

/// An entry as guests write it, with every field of the input's, and the tail moved behind it.
private func entry(_ kind: UInt8, _ rest: inout ArraySlice<UInt8>, _ memory: borrowing GuestMemory) {
    let tail = memory.read(GuestAddress(ring), as: UInt32.self) ?? 0
    let isWide = kind & 4 != 0
    let entry = swiftlet_ring_entry(
        operation: UInt32(number(&rest, bytes: isWide ? 4 : 1)), device: UInt32(number(&rest, bytes: 1)),
        buffer: number(&rest, bytes: isWide ? 8 : 3), length: UInt32(number(&rest, bytes: isWide ? 4 : 2)), id: tail,
        offset: number(&rest, bytes: isWide ? 8 : 2))
    memory.write(entry, at: GuestAddress(ring + 128 + UInt64(tail % entries) * 32))
    if kind & 8 != 0 { memory.write(tail &+ 1, at: GuestAddress(ring)) }
    if kind & 16 != 0 { memory.write(tail &+ 1, at: GuestAddress(ring + 4)) }
}

/// A right life, every operation, and lies.
public func ringSeeds() -> [Seed] {
    func entry(_ operation: UInt8, device: UInt8 = 0, length: UInt8 = 2) -> [UInt8] {
        [0x09, operation, device, 0, 0, 8, 0, length, 0, 2]  // buffer 0x80000, bytes 512 at 512
    }
    let operations: [UInt8] = [3, 4, 5, 6]
    return [
        ("life", operations.flatMap { entry($0) + [2] }),
        ("console", entry(7, device: 1) + [2] + entry(7, device: 1, length: 0) + [2]),
        ("nothing", entry(1, device: 2) + entry(2, device: 2) + entry(99) + entry(3, device: 9) + [2]),
        ("many", (0..<9).flatMap { _ in entry(3) } + [2, 2]),
        ("wide", [0x0d] + [UInt8](repeating: 0xff, count: 25) + [2]),
        ("lie", [0, 200, 2]), ("taken", [8, 1, 2]), ("ours", [16, 7, 2, 24, 7, 2] + entry(3) + [2]),
    ]
}
