// From bytes to a guest in memory, as the VMM does it: what the tests of images start with.
//
// Read next: ELFRuleTests.swift.

import CABI
import GuestMemory
import ImageBuilder
import TestSupport
import X86

@testable import Boot

/// A guest, placed and installed.
final class BootedImage {
    let guest: RingThree
    let memory: GuestMemory
    let state: CPUState

    init(
        _ image: [UInt8], memorySize: UInt64 = 4 << 20, moduleSize: UInt64 = 0, commandLine: String = ""
    ) throws(ImageError) {
        let file = AnonymousFile(image)
        let elf = try ELFImage(fd: file.fd, fileSize: file.size)
        guest = try RingThree(elf, memorySize: memorySize, moduleSize: moduleSize)
        memory = makeMemory(guest.layout)
        state = try guest.install(elf, in: memory, parameters(commandLine, moduleSize: moduleSize))
    }

    /// What an address is mapped to.
    func walk(_ address: UInt64) -> PageWalk.Mapping? {
        PageWalk.translate(address, root: state.cr3, in: memory)
    }

    func read<T: BitwiseCopyable>(_ address: UInt64, as type: T.Type = T.self) -> T? {
        memory.read(GuestAddress(address))
    }

    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] { memory.bytes(GuestAddress(address), count) ?? [] }
}

/// The memory of a layout. Address space is there for any machine that a test makes.
func makeMemory(_ layout: Layout) -> GuestMemory {
    do { return try GuestMemory(low: layout.low, high: layout.high) } catch { fatalError("\(error)") }
}

func parameters(_ commandLine: String = "", moduleSize: UInt64 = 0) -> BootParameters {
    var features = swiftlet_cpu_features()
    features.leaf1_ecx = 0x1234_5678
    features.xcr0 = 7
    return BootParameters(
        commandLine: commandLine, moduleSize: moduleSize, tscFrequency: 2_500_000_000, features: features,
        seed: (0x0101, 0x0202, 0x0303, 0x0404))
}

/// Why an image cannot be booted; nil when it can.
func refusal(of image: [UInt8], memorySize: UInt64 = 4 << 20) -> ImageError? {
    do throws(ImageError) {
        _ = try BootedImage(image, memorySize: memorySize)
        return nil
    } catch { return error }
}

extension ImageError {
    /// One line, and something in it.
    var isReadable: Bool { !message.isEmpty && !message.contains("\n") && message.allSatisfy { $0 >= " " } }
}
