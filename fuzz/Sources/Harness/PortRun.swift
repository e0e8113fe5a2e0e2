// A hostile kernel of ring 0: any accesses to any ports, in any width, with keys typed meanwhile.
//
// Whatever it does, a device answers with as many bits as were asked for, its queues keep their bounds, and what nobody owns
// is counted. Read next: ../../../Sources/VMM/Devices/KernelPorts.swift.

import ImageBuilder
@_spi(InventedExits) import VMM

/// Where the devices are, so that mutations find them; the last stands for any port.
private let ports: [UInt16?] = [
    0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x60, 0x64, 0x70, 0x71, 0x80, 0x92, 0x510, 0x511, 0xcf8,
    0xcf9, 0x600, 0x601, 0x604, 0x8900, 0xf4, nil,
]

/// Each step: a byte for the port, a byte for what and how wide, four of value.
public func accessPorts(_ input: UnsafeBufferPointer<UInt8>) {
    var steps = Steps(input)
    guard var machine = try? InventedPorts(["opt/one=string:abc", "initrd=string:disk", "cmdline=string:quiet"]) else {
        return require(false, "a machine")
    }
    while !steps.isAtEnd, !machine.ends {
        let port = ports[Int(steps.number(UInt8.self)) % ports.count] ?? steps.number()
        let kind: UInt8 = steps.number()
        let size: UInt8 = [1, 2, 4, 1][Int(kind >> 4 & 3)]
        let before = machine.strangers
        switch kind & 3 {
        case 0: machine.receive(steps.bytes(Int(kind >> 2)))
        case 1:
            let answer = machine.read(port, size: size)
            require(size == 4 || answer >> (8 * UInt32(size)) == 0, "no more bits than were asked for")
        default: machine.write(port, size: size, steps.number())
        }
        require(machine.strangers <= before + 1, "an access is counted once")
        require((0...16).contains(machine.room), "a queue of 16 bytes")
        if machine.hasLine { require(machine.takeOutput() <= 4096 + 4, "what is sent does not pile up") }
        _ = machine.isLineHigh
    }
}

public func portSeeds() -> [Seed] {
    func step(_ port: UInt16?, _ kind: UInt8, _ value: UInt32 = 0) -> [UInt8] {
        let index = UInt8(ports.firstIndex { $0 == port } ?? 0)
        var bytes = [index]
        if port == nil { bytes.append16(0x1234) }
        bytes.append(kind)
        if kind & 3 > 1 { bytes.append32(value) }
        return bytes
    }
    let (read, write): (UInt8, UInt8) = (1, 2)
    let line = "Hi\n".utf8.flatMap { step(0x3f8, write, UInt32($0)) }
    let setup = step(0x3fb, write, 0x83) + step(0x3f8, write, 1) + step(0x3fb, write, 3) + step(0x3f9, write, 3)
    let typed: [UInt8] = [0, 3 << 2, 1, 2, 3] + step(0x3fa, read) + step(0x3f8, read) + step(0x3fd, read)
    let directory = step(0x510, write | 0x10, 0x19) + (0..<8).flatMap { _ in step(0x511, read) }
    let clock = (0..<16).flatMap { step(0x70, write, $0) + step(0x71, read) }
    let keyboard = [0xaa, 0xab, 0xd0, 0x20].flatMap { step(0x64, write, $0) + step(0x64, read) + step(0x60, read) }
    return [
        ("line", setup + line), ("typed", setup + typed), ("looped", step(0x3fc, write, 0x1a) + line + typed),
        ("directory", directory), ("clock", clock), ("keyboard", keyboard + step(0x64, write, 0xfe)),
        ("word", "Shutdown".utf8.flatMap { step(0x8900, write, UInt32($0)) }), ("exit", step(0xf4, write | 0x20, 3)),
        ("nobody", step(nil, read | 0x20) + step(0xcf8, write | 0x20, 0x8000_0000)),
        ("off", step(0x604, write | 0x10, 0x2000)), ("asleep", step(0x601, read) + step(0x600, write, 0x34)),
        ("reset", step(0xcf9, write, 6)), ("fast", step(0x92, write, 1)),
    ]
}
