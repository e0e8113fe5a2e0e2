// From bytes to a kernel in memory, as the VMM does it: what the tests of boot protocols start with.
//
// Read next: MultibootTests.swift.

import GuestMemory
import ImageBuilder
import TestSupport
import X86

@testable import Boot

/// A kernel, planned and installed.
final class PlannedKernel {
    let plan: KernelPlan
    let memory: GuestMemory

    init(
        _ content: [UInt8], _ method: BootMethod? = nil, memorySize: UInt64 = 8 << 20,
        wishes: BootWishes = BootWishes(image: "kernel")
    ) throws(ImageError) {
        let file = AnonymousFile(content)
        let image = try KernelImage(fd: file.fd, fileSize: file.size)
        guard let method = method ?? BootMethod(image.kind) else { throw .noNote(image.kind) }
        plan = try KernelPlan(image, method, memorySize: memorySize, wishes)
        memory = makeMemory(plan.layout)
        try plan.install(image, in: memory)
    }

    var state: KernelState { plan.state }

    func word(_ address: UInt64) -> UInt64 {
        memory.read(GuestAddress(address), as: UInt32.self).map(UInt64.init) ?? .max
    }
    func long(_ address: UInt64) -> UInt64 { memory.read(GuestAddress(address), as: UInt64.self) ?? .max }
    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] { memory.bytes(GuestAddress(address), count) ?? [] }

    func text(_ address: UInt64) -> String {
        String(decoding: bytes(address, 256).prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// Why a kernel cannot be started; nil when it can.
func kernelRefusal(
    _ content: [UInt8], _ method: BootMethod? = nil, memorySize: UInt64 = 8 << 20,
    wishes: BootWishes = BootWishes(image: "kernel")
) -> ImageError? {
    do throws(ImageError) {
        _ = try PlannedKernel(content, method, memorySize: memorySize, wishes: wishes)
        return nil
    } catch { return error }
}

let twoModules = [
    BootWishes.Module(path: "disk", size: 5000), BootWishes.Module(path: "more", arguments: "with text", size: 10),
]
