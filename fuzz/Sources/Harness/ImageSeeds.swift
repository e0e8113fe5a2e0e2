// Seeds for images: right ones of every kind, so that mutations start behind the first checks.
//
// Read next: ImageRun.swift.

import ImageBuilder

/// Small images of a format, some in a world with accidents.
public func imageSeeds(_ format: ImageFormat) -> [Seed] {
    let images = images(format)
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

private func images(_ format: ImageFormat) -> [Seed] {
    switch format {
    case .swiftlet:
        [
            ("guest", ELFBuilder.guest().build()), ("full", ELFBuilder.fullGuest().build()),
            ("movable", ELFBuilder.movableGuest().build()), ("stranger", stranger()), ("devices", devices()),
            ("script", Array("#!/bin/sh\n".utf8)),
        ]
    case .solo5: unikernels()
    case .multiboot:
        [
            kernel("elf", KernelImages.multiboot().build()), ("header", multiboot()),
            kernel("addresses", KernelImages.multibootByAddresses()),
            kernel("addresses-all", KernelImages.multibootByAddresses(loadEnd: KernelImages.address + 0x50)),
        ]
    case .pvh:
        [
            kernel("elf32", KernelImages.pvh().build()), ("elf64", stranger()),
            kernel("wide-note", KernelImages.pvh(entry: [0, 0, 0x10, 0, 0, 0, 0, 0]).build()),
        ]
    case .linux:
        [
            kernel("bzImage", KernelImages.linux()), kernel("vmlinux", KernelImages.vmlinux().build()),
            kernel("small", KernelImages.linux(initialSize: 0x1000)),
        ]
    case .flat: flatImages()
    }
}

/// In 4 MiB of memory.
private func kernel(_ name: String, _ bytes: [UInt8], method: UInt8 = 0) -> Seed {
    var input = bytes
    input[11] = 6
    input[14] = method
    return (name, input)
}

/// A boot sector, and bytes by every name that they can have.
private func flatImages() -> [Seed] {
    let code = [UInt8](repeating: 0x90, count: 80) + [0xeb, 0xfe]
    return [kernel("boot-sector", KernelImages.bootSector())]
        + (1...6).map { kernel("flat-\($0)", code, method: $0) }
        + [kernel("named-sector", KernelImages.bootSector(), method: 1)]
}

/// Without devices, with both kinds, and with more code than constants.
private func unikernels() -> [Seed] {
    let devices = ELFBuilder.solo5Manifest([("storage", 1), ("service", 2)])
    var full = ELFBuilder.unikernel(code: [UInt8](repeating: 0x90, count: 300), manifest: devices)
    full.segments.append(
        ELFBuilder.Segment(flags: 6, address: ELFBuilder.unikernelAddress + 0x1000, content: [1], memorySize: 0x3000))
    return [
        ("plain", ELFBuilder.unikernel().build()), ("devices", ELFBuilder.unikernel(manifest: devices).build()),
        ("full", full.build()), ("target", ELFBuilder.unikernel(abi: ELFBuilder.solo5ABI(target: 3)).build()),
        ("version", ELFBuilder.unikernel(abi: ELFBuilder.solo5ABI(version: 9)).build()),
    ]
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
