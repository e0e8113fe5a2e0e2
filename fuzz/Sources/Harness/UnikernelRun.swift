// A Solo5 unikernel as the input tells it: its manifest, or its life of calls, ring entries and words in its memory.
//
// Its code is protected as in a machine, so a result that went there would be a crash, and behind its memory is nothing.
// Read next: UnikernelSeeds.swift.

import Boot
import CFuzz
import Glibc
import Host
import ImageBuilder
import KVM
@_spi(InventedExits) import VMM

private let disk = cfuzz_memory_file()
private let image = cfuzz_memory_file()
private let null = open("/dev/null", O_RDWR)
private let full = open("/dev/full", O_WRONLY)
private let kick: Void = {
    try? Thread.installKick()
    ftruncate(disk, 8192)
    let bytes = ELFBuilder.unikernel().build()
    pwrite(image, bytes, bytes.count, 0)
}()

public func runUnikernel(_ input: UnsafeBufferPointer<UInt8>) {
    _ = kick
    var steps = Steps(input)
    switch steps.number(UInt8.self) {
    case 0: checkManifest(Array(input.dropFirst()))
    case let world: live(&steps, world)
    }
}

/// What is taken obeys the rules, and gives every device its place.
private func checkManifest(_ bytes: [UInt8]) {
    do throws(Solo5Error) {
        var manifest = try Solo5Manifest(bytes)
        require(manifest.devices.count <= 63 && bytes.count <= 8 + 64 * 104, "at most 63 devices")
        for device in manifest.devices {
            require((1...63).contains(device.handle) && !device.typeName.isEmpty, "a handle is an index")
            switch device.kind {
            case .block: manifest.attachBlock(device, capacity: .max, blockSize: .max)
            case .network: manifest.attachNetwork(device, mac: [1, 2, 3, 4, 5, 6], mtu: .max)
            case .unknown: continue
            }
            require(manifest.isAttached(device), "it is attached")
        }
        require(manifest.bytes.count == bytes.count, "no byte more")
    } catch { require(!error.message.isEmpty && !error.message.contains("\n"), "one line") }
}

/// World: 2 a stop was asked for, 4 nobody is at the wire's other end, 8 the console's disk is full, 16 the disk was
/// cut short.
private func live(_ steps: inout Steps, _ world: UInt8) {
    let isStopped = world & 2 != 0
    var pair: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | O_NONBLOCK, 0, &pair) == 0 else { return }
    if world & 4 != 0 { shutdown(pair[0], Int32(SHUT_RDWR)) }
    defer {
        close(pair[0])
        ftruncate(disk, 8192)
    }
    guard let elf = try? ELFImage(fd: image, fileSize: UInt64(ELFBuilder.unikernel().build().count)),
        var guest = try? InventedUnikernel(
            elf, disk: "/proc/self/fd/\(disk)", wire: File(owning: pair[1]),
            console: Console(input: -1, output: world & 8 != 0 ? full : null))
    else { fatalError("no unikernel") }
    if world & 16 != 0 { ftruncate(disk, 512) }
    if isStopped { guest.requestStop() }
    var tail: UInt32 = 0
    while !steps.isAtEnd, step(&steps, &guest, pair[0], &tail, isStopped) {
        require(!guest.hasReason, "a unikernel that goes on has no reason to stop")
        drain(pair[0])
    }
}

/// So that no send waits for room.
private func drain(_ wire: Int32) {
    var frame = [UInt8](repeating: 0, count: 2048)
    while recv(wire, &frame, frame.count, 0) > 0 {}
}

/// False when the machine or its ring ended.
private func step(
    _ steps: inout Steps, _ guest: inout InventedUnikernel, _ wire: Int32, _ tail: inout UInt32, _ isStopped: Bool
) -> Bool {
    let kind = steps.number(UInt8.self) & 15
    switch kind {
    case 0...8: return call(kind, &steps, &guest, isStopped)
    case 9:
        let (port, size, count) = (steps.number(UInt16.self), steps.number(UInt8.self), steps.number(UInt8.self))
        return handle(
            .portWrite(port: port, size: size, count: UInt32(count), value: steps.number(UInt32.self)), &guest)
    case 10: return handle(otherExit(&steps), &guest)
    case 11:
        guest.write(steps.number(UInt64.self), at: UInt64(steps.number(UInt32.self)) & 0x3f_ffff)
        return true
    case 12, 13:
        submit(&steps, guest, &tail)
        return kind == 12 || guest.turnRing()
    case 14:
        guest.write(steps.number(UInt32.self), at: guest.end)
        return guest.turnRing()
    default:
        let frame = [UInt8](repeating: 7, count: Int(steps.number(UInt8.self)) * 8)
        _ = send(wire, frame, frame.count, 0)
        return true
    }
}

private func handle(_ exit: Exit, _ guest: inout InventedUnikernel) -> Bool {
    let goesOn = guest.handle(exit)
    require(goesOn || guest.hasReason, "a reason to stop")
    return goesOn
}

/// The struct lies where the input says; its words as the input has them.
private func call(
    _ number: UInt8, _ steps: inout Steps, _ guest: inout InventedUnikernel, _ isStopped: Bool
) -> Bool {
    let address = UInt64(steps.number(UInt32.self))
    for index in 0..<5 as Range<UInt64> {
        var word = steps.number(UInt64.self)
        if number == 3, index == 0, !isStopped { word &= 0xffff }
        guest.write(word, at: address + 8 * index)
    }
    // A poll whose struct lies where nothing could be put may have any time limit.
    if number == 3, !isStopped, guest.read(address, as: UInt64.self) ?? 0 > 0xffff { return true }
    let exit = Exit.portWrite(
        port: 0x500 + UInt16(number), size: 4, count: 1, value: UInt32(truncatingIfNeeded: address))
    let goesOn = handle(exit, &guest)
    if goesOn, number >= 4 {
        let place = address + (number < 6 ? 32 : 24)
        let result = guest.read(place, as: Int32.self)
        require(result.map { (0...3).contains($0) } == true, "its struct is memory, its result one of Solo5's")
    }
    return goesOn
}

private func submit(_ steps: inout Steps, _ guest: borrowing InventedUnikernel, _ tail: inout UInt32) {
    let slot = guest.end + 128 + 32 * UInt64(tail % 1024)
    guest.write(UInt32(steps.number(UInt8.self)), at: slot)
    guest.write(UInt32(steps.number(UInt8.self)), at: slot + 4)
    guest.write(steps.number(UInt64.self), at: slot + 8)
    guest.write(steps.number(UInt32.self), at: slot + 16)
    tail &+= 1
    guest.write(tail, at: guest.end)
}
