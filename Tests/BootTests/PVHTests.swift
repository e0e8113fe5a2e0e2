// PVH kernels: entered where their note says, with start info.
//
// Xen, include/public/arch-x86/hvm/start_info.h. Read next: FlatImageTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct PVHTests {
    @Test func itStartsInProtectedModeWithStartInfo() throws {
        let kernel = try PlannedKernel(
            KernelImages.pvh().build(), wishes: BootWishes(image: "kernel", commandLine: "one two", modules: twoModules)
        )
        let info = kernel.state.rbx
        #expect(kernel.state.mode == .protected && kernel.state.rip == 0x10_0000 && kernel.state.rax == 0)
        #expect(kernel.word(info) == 0x336e_c578 && kernel.word(info + 4) == 1 && kernel.word(info + 8) == 0)
        #expect(kernel.text(kernel.long(info + 24)) == "one two" && kernel.long(info + 32) == 0)
        let modules = kernel.long(info + 16)
        #expect(kernel.word(info + 12) == 2 && kernel.long(modules) == 0x10_3000 && kernel.long(modules + 8) == 5000)
        #expect(kernel.long(modules + 16) == 0 && kernel.text(kernel.long(modules + 48)) == "with text")
        let map = kernel.long(info + 40)
        #expect(kernel.word(info + 48) == 3)
        #expect(kernel.long(map + 48) == 0x10_0000 && kernel.long(map + 56) == 7 << 20 && kernel.word(map + 64) == 1)
    }

    @Test func itHasNoModulesWithoutAny() throws {
        let kernel = try PlannedKernel(KernelImages.pvh().build())
        #expect(kernel.word(kernel.state.rbx + 12) == 0 && kernel.long(kernel.state.rbx + 16) == 0)
        #expect(kernel.text(kernel.long(kernel.state.rbx + 24)).isEmpty)
    }

    /// Where start info says, and where a BIOS has them.
    @Test func itIsToldOfACPI() throws {
        let wishes = BootWishes(image: "kernel", machine: ACPIMachine(hasInterrupts: true))
        let kernel = try PlannedKernel(KernelImages.pvh().build(), wishes: wishes)
        let pointer = kernel.long(kernel.state.rbx + 32)
        #expect(pointer == 0xe_0000 && kernel.text(pointer).hasPrefix("RSD PTR "))
        #expect(kernel.bytes(0xf_fff0, 5) == [0xb0, 0xfe, 0xe6, 0x64, 0xf4])
        #expect(kernel.plan.pieces.contains { $0.what == "ACPI tables" && $0.range.upperBound < 0xf_0000 })
    }

    @Test func anImageThatLiesThereGetsNoACPI() throws {
        var builder = KernelImages.pvh()
        builder.segments.append(.init(address: 0xe_0100, content: [1]))
        let wishes = BootWishes(image: "kernel", machine: ACPIMachine(hasInterrupts: true))
        let kernel = try PlannedKernel(builder.build(), wishes: wishes)
        #expect(kernel.long(kernel.state.rbx + 32) == 0 && kernel.bytes(0xe_0100, 1) == [1])
    }

    @Test func aNoteMayHaveEightBytes() throws {
        let kernel = try PlannedKernel(KernelImages.pvh(entry: [2, 0, 0x10, 0, 0, 0, 0, 0]).build())
        #expect(kernel.state.rip == 0x10_0002)
    }

    @Test func memoryAboveTheHoleIsInTheMap() throws {
        let kernel = try PlannedKernel(KernelImages.pvh().build(), memorySize: 5 << 30)
        let map = kernel.long(kernel.state.rbx + 40)
        #expect(kernel.word(kernel.state.rbx + 48) == 4)
        #expect(kernel.long(map + 72) == 4 << 30 && kernel.long(map + 80) == 2 << 30)
        #expect(kernel.plan.memory.high == 4 << 30..<6 << 30)
    }

    @Test(arguments: [
        (KernelImages.pvh(entry: []).build(), BootError.pvhNote(size: 0)),
        (KernelImages.pvh(entry: [0, 0, 0x10, 0, 1, 0, 0, 0]).build(), .entry(0x1_0010_0000)),
        (KernelImages.pvh(entry: [0, 0, 0x20, 0]).build(), .entry(0x20_0000)),
        (KernelImages.pvh(entry: [0, 0, 0x10]).build(), .pvhNote(size: 3)),
    ])
    func whatCannotBeIsRefused(image: [UInt8], error: BootError) {
        #expect(kernelRefusal(image) == .boot(error))
    }

    @Test func segmentsAreCheckedAgainstFileAndMemory() {
        var builder = KernelImages.pvh()
        builder.segments[0].memorySize = 1
        #expect(kernelRefusal(builder.build()) == .malformed("segment 0 is longer in the file than in memory"))
        builder = KernelImages.pvh()
        builder.segments[0].physical = 0x7f_f000
        let outside = BootError.outside(
            what: "segment 0 of the image", start: 0x7f_f000, end: 0x80_2000, memory: 8 << 20)
        #expect(kernelRefusal(builder.build()) == .boot(outside))
        builder = KernelImages.pvh()
        builder.segments.insert(.init(address: 0x10_2fff, content: [1]), at: 1)
        let overlap = BootError.overlap("segment 0 of the image", "segment 1 of the image")
        #expect(kernelRefusal(builder.build()) == .boot(overlap))
        builder = KernelImages.pvh()
        builder.type = 3
        #expect(kernelRefusal(builder.build()) == .boot(.notFixed))
        builder.type = 1
        #expect(kernelRefusal(builder.build()) == .notExecutable(type: 1))
        builder = KernelImages.pvh()
        builder.machine = 40
        #expect(kernelRefusal(builder.build()) == .wrongMachine(40))
        var file = KernelImages.pvh().build()
        file.patch(52 + 4, UInt32(0xffff_fff0))  // the first segment's offset
        #expect(kernelRefusal(file) == .truncated(what: "segment 0", needed: 0xffff_fff2, size: UInt64(file.count)))
    }
}
