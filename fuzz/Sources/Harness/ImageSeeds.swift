// Seeds for images: right ones of every kind, so that mutations start behind the first checks.
//
// Read next: ImageRun.swift.

import ImageBuilder

/// Small images, some in a world with accidents.
public func imageSeeds() -> [Seed] {
    let images: [Seed] =
        [
            ("guest", ELFBuilder.guest().build()), ("full", ELFBuilder.fullGuest().build()),
            ("movable", ELFBuilder.movableGuest().build()), ("stranger", stranger()), ("devices", devices()),
            ("script", Array("#!/bin/sh\n".utf8)), ("multiboot", multiboot()),
        ] + kernelSeeds()
    return images
        + images.filter { $0.input.count > 64 }.flatMap { seed in
            [(1, 0x78), (2, 0x90)].map { accident, size in
                var input = seed.input
                input[8] = UInt8(accident)
                input[9] = UInt8(size)
                input[12] = 3
                input[13] = 1
                return ("\(seed.name)-accident-\(accident)", input)
            }
        }
}

/// Kernels for the bare CPU, in 4 MiB of memory, and bytes that are named one.
private func kernelSeeds() -> [Seed] {
    let kernels: [Seed] = [
        ("multiboot-elf", KernelImages.multiboot().build()), ("pvh", KernelImages.pvh().build()),
        ("multiboot-addresses", KernelImages.multibootByAddresses()), ("linux", KernelImages.linux()),
        ("boot-sector", KernelImages.bootSector()),
    ]
    let named = (5...7).map { ("flat-\($0)", [UInt8](repeating: 0x90, count: 14) + [UInt8($0), 0, 0xeb, 0xfe]) }
    return named
        + kernels.map { seed in
            var input = seed.input
            input[11] = 6
            return (seed.name, input)
        }
}

/// A guest with a disk and a network.
private func devices() -> [UInt8] {
    let notes = [("disk", 1 as UInt32), ("net0", 2)].flatMap { name, kind in
        var descriptor: [UInt8] = []
        descriptor.append32(kind, 0)
        return ELFBuilder.note(type: 2, descriptor + Array(name.utf8) + [UInt8](repeating: 0, count: 28))
    }
    return ELFBuilder.guest(note: ELFBuilder.swiftletNote() + notes).build()
}

/// An executable of somebody else, with a note of theirs.
private func stranger() -> [UInt8] {
    ELFBuilder.guest(note: ELFBuilder.note(owner: "Xen", type: 18, [0, 0, 4, 0])).build()
}

/// No ELF: a Multiboot header behind 16 bytes.
private func multiboot() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16)
    bytes.append32(0x1bad_b002, 0, 0 &- 0x1bad_b002)
    return bytes
}
