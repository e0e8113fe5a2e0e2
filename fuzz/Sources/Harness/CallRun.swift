// A guest's life as the input tells it: calls with any arguments, ports, exits, words written into its memory.
//
// The first byte is the world: where the console leads, whether a stop was asked for, whether there is a disk. Then one step after the other,
// until the machine stops. Nothing blocks: where no stop is asked for, deadlines are near. Read next: CallSeeds.swift.

import CABI
import Glibc
import GuestMemory
import Host
import KVM
import X86
@_spi(InventedExits) import VMM

/// The descriptors that a guest's console can lead to.
private struct Descriptors {
    let null = open("/dev/null", O_RDWR)
    let full = open("/dev/full", O_WRONLY)

    func output(_ kind: UInt8, brokenPipe: Int32) -> Int32 {
        switch kind {
        case 0: null
        case 1: brokenPipe
        case 2: full
        default: -1
        }
    }
}

private let descriptors = Descriptors()
private let kick: Void = { try? Thread.installKick() }()

/// Runs a guest.
public func makeCalls(_ input: UnsafeBufferPointer<UInt8>) {
    _ = kick
    var steps = Steps(input)
    let world = steps.number(UInt8.self)
    guard var pipe = try? Pipe(), var broken = BrokenPipe() else { return }
    pipe.write(Array("typed by somebody\n".utf8))
    if world & 1 == 0 { pipe.closeWriter() }
    let output = descriptors.output(world >> 1 & 3, brokenPipe: broken.writer)
    guard
        var guest = try? InventedExits(
            memorySize: 1 << 20, console: Console(input: pipe.reader, output: output), quiet: false,
            disk: world & 16 != 0 ? fuzzedDisk : nil)
    else { return }
    let isStopped = world & 8 != 0
    if isStopped { guest.requestStop() }
    while !steps.isAtEnd, step(&steps, &guest, isStopped) {
        require(guest.cause == nil && guest.stop == nil, "a guest that goes on has no reason to stop")
    }
    if let cause = guest.cause { require(!"\(cause)".isEmpty, "words") }
    checkGates(guest.memory)
    checkUntouched(guest.memory)
    broken.close()
}

/// A pipe that nobody reads.
private struct BrokenPipe {
    let writer: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) != 0 { return nil }
        Glibc.close(ends[0])
        writer = ends[1]
    }

    mutating func close() { Glibc.close(writer) }
}

/// One step; false when the machine stopped.
private func step(_ steps: inout Steps, _ guest: inout InventedExits, _ isStopped: Bool) -> Bool {
    let kind = steps.number(UInt8.self) & 31
    switch kind & 15 {
    case 0...10 where kind & 16 != 0: return call(Int32(kind & 3) + SWIFTLET_CALL_BLOCK, &steps, &guest, isStopped)
    case 0...10: return call(Int32(kind) + SWIFTLET_CALL_EXIT, &steps, &guest, isStopped)
    case 11: return call(Int32(steps.number(UInt8.self)), &steps, &guest, isStopped)
    case 12:
        let (port, size, count) = (steps.number(UInt16.self), steps.number(UInt8.self), steps.number(UInt8.self))
        let exit = Exit.portWrite(port: port, size: size, count: UInt32(count), value: 0)
        return handle(exit, rip: steps.number(), &guest)
    case 13: return handle(otherExit(&steps), rip: steps.number(), &guest)
    case 14:
        let address = GuestAddress(UInt64(steps.number(UInt32.self)) & 0xf_ffff)
        guest.memory.write(steps.number(UInt64.self), at: address)
        return true
    default:
        if kind & 16 != 0 { guest.raiseRingInterrupt() }
        if let vector = guest.interruptToInject() { require(vector >= 32, "an interrupt's vector") }
        return true
    }
}

private func handle(_ exit: Exit, rip: UInt64, _ guest: inout InventedExits) -> Bool {
    let goesOn = guest.handle(exit, rip: rip)
    if !goesOn { require((guest.cause == nil) != (guest.stop == nil), "one reason to stop") }
    return goesOn
}

func otherExit(_ steps: inout Steps) -> Exit {
    let (kind, address, value) = (steps.number(UInt8.self), steps.number(UInt64.self), steps.number(UInt32.self))
    return switch kind & 7 {
    case 0: .portRead(port: UInt16(truncatingIfNeeded: address), size: 4, count: value)
    case 1: .mmioWrite(address: address, size: value, value: address)
    case 2: .mmioRead(address: address, size: value)
    case 3: .internalError(suberror: value)
    case 4: .failEntry(reason: address)
    case 5: .shutdown
    case 6: .halt
    default: .other(value)
    }
}

private func call(_ number: Int32, _ steps: inout Steps, _ guest: inout InventedExits, _ isStopped: Bool) -> Bool {
    var words: (UInt64, UInt64, UInt64, UInt64) = (steps.number(), steps.number(), steps.number(), steps.number())
    if !isStopped, number == SWIFTLET_CALL_POLL { words.0 &= 0xffff }
    if !isStopped, number == SWIFTLET_CALL_CONSOLE_READ { words.2 &= 0xffff }
    guest.setArguments(words)
    let port = UInt16(truncatingIfNeeded: SWIFTLET_CALL_PORT + number)
    let goesOn = handle(.portWrite(port: port, size: 4, count: 1, value: 0), rip: AddressMap.imageStart, &guest)
    if goesOn { checkResult(number, words, guest) }
    return goesOn
}

/// What docs/ABI.md promises of results.
private func checkResult(
    _ number: Int32, _ words: (UInt64, UInt64, UInt64, UInt64), _ guest: borrowing InventedExits
) {
    switch number {
    case SWIFTLET_CALL_CONSOLE_READ:
        guard let result = guest.arguments(swiftlet_console_read.self)?.result else { return require(false, "a page") }
        require(result >= -1 && (result <= 0 || UInt64(result) <= words.1), "what was read fits")
    case SWIFTLET_CALL_POLL:
        guard let poll = guest.arguments(swiftlet_poll.self) else { return require(false, "a page") }
        require(poll.ready & ~UInt32(truncatingIfNeeded: words.1) == 0, "only what was asked for is ready")
    case SWIFTLET_CALL_WALL_TIME:
        require(guest.arguments(swiftlet_wall_time.self)?.nanoseconds ?? .max < 1_000_000_000, "less than a second")
    case SWIFTLET_CALL_RECLAIM where words.1 > 0:
        require(guest.memory.read(GuestAddress(words.0), as: UInt64.self) == 0, "pages given back are zero")
        require(guest.memory.read(GuestAddress(words.0 + words.1 - 8), as: UInt64.self) == 0, "all of them")
    case SWIFTLET_CALL_GROW:
        guard let grow = guest.arguments(swiftlet_grow.self) else { return require(false, "a page") }
        require(grow.granted == 0 || grow.granted >= words.0 && words.0 > 0, "enough or nothing")
        require(guest.memory.contains(GuestAddress(grow.start), grow.granted) || grow.granted == 0, "it is memory")
    default: return
    }
}

/// Whatever handlers were installed, no gate leads anywhere but to ring 3.
private func checkGates(_ memory: borrowing GuestMemory) {
    for vector in 0..<256 as Range<UInt64> {
        let place = AddressMap.idt + vector * 16
        guard let gate = memory.machinePointer(place, 16)?.load(as: (UInt64, UInt64).self) else { continue }
        if gate.0 == 0 && gate.1 == 0 { continue }
        require(gate.0 >> 16 & 0xffff == UInt64(Selector.userCode), "a ring-3 selector")
        require(gate.0 >> 40 & 0x9f == 0x8f && gate.0 >> 35 & 0x1f == 0 && gate.1 >> 32 == 0, "a present trap gate")
        require(gate.0 >> 32 & 7 <= 1, "the current stack or the report stack")
        require(vector != 1 && vector != 3, "the debugger's vectors")
    }
}

/// Nothing a guest asks for reaches the machine's other pages, nor what lies around memory.
private func checkUntouched(_ memory: borrowing GuestMemory) {
    for range in [0..<AddressMap.idt, AddressMap.tss..<AddressMap.memoryStart] {
        for place in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
            require(memory.machinePointer(place, 8)?.load(as: UInt64.self) == 0, "untouched")
        }
    }
}
