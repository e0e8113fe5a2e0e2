// Linux by the 64-bit boot protocol: the zero page, the initial RAM disk, kernels that are unpacked already, and that are not for it.
//
// Linux, Documentation/arch/x86/boot.rst. Read next: ../VMMTests/KernelPortTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct LinuxBootTests {
    private func wishes(_ commandLine: String = "", disk: UInt64? = nil) -> BootWishes {
        let modules = disk.map { [BootWishes.Module(path: "disk", size: $0)] } ?? []
        return BootWishes(image: "bzImage", commandLine: commandLine, modules: modules, hasInitialDisk: disk != nil)
    }

    @Test func itStartsIn64BitModeWithItsZeroPage() throws {
        let kernel = try PlannedKernel(KernelImages.linux(), wishes: wishes("console=ttyS0"))
        let page = kernel.state.rsi
        #expect(kernel.state.mode == .long && kernel.state.rip == 0x10_0200)
        #expect(kernel.state.code == 0x10 && kernel.state.data == 0x18)
        #expect(kernel.bytes(0x10_0000, 2) == [0x90, 0x90] && kernel.bytes(0x10_0200, 2) == [0xeb, 0xfe])
        #expect(page % 4096 == 0 && kernel.word(page + 0x202) == 0x5372_6448)
        #expect(kernel.bytes(page + 0x210, 2) == [0xff, 1])
        #expect(kernel.text(kernel.word(page + 0x228)) == "console=ttyS0")
        #expect(kernel.word(page + 0x218) == 0 && kernel.word(page + 0x21c) == 0)
        #expect(kernel.bytes(page + 0x1e8, 1) == [3])
        #expect(kernel.long(page + 0x2d0 + 40) == 0x10_0000 && kernel.long(page + 0x2d0 + 48) == 7 << 20)
        #expect(kernel.word(page + 0x2d0 + 56) == 1)
        #expect(kernel.long(page + 0x258) == 1 << 20, "the setup header is copied to its end")
        #expect(kernel.bytes(page, 0x1e8).allSatisfy { $0 == 0 })
        #expect(PageWalk.translate(0x10_0200, root: kernel.state.cr3, in: kernel.memory)?.physical == 0x10_0200)
    }

    @Test func theInitialDiskLiesAsHighAsItMay() throws {
        let kernel = try PlannedKernel(KernelImages.linux(), wishes: wishes(disk: 5000))
        #expect(kernel.plan.module(0) == 0x7f_e000..<0x7f_f388)
        #expect(kernel.word(kernel.state.rsi + 0x218) == 0x7f_e000 && kernel.word(kernel.state.rsi + 0x21c) == 5000)
        var image = KernelImages.linux()
        image.patch(0x22c, UInt32(0x3f_ffff))
        #expect(try PlannedKernel(image, wishes: wishes(disk: 5000)).plan.module(0).lowerBound == 0x3f_e000)
    }

    /// Its segments lie where they want to, and the zero page has a setup header of ours.
    @Test func anUnpackedKernelIsEnteredAsItsHeaderSays() throws {
        let kernel = try PlannedKernel(KernelImages.vmlinux().build(), wishes: wishes("quiet", disk: 5000))
        let page = kernel.state.rsi
        #expect(kernel.plan.method == .linux && kernel.state.mode == .long)
        #expect(kernel.state.rip == UInt64(KernelImages.address) && kernel.state.cr3 != 0)
        #expect(kernel.bytes(UInt64(KernelImages.address), 2) == [0xeb, 0xfe])
        #expect(kernel.word(page + 0x202) == 0x5372_6448 && kernel.bytes(page + 0x1fe, 2) == [0x55, 0xaa])
        #expect(kernel.bytes(page + 0x210, 2) == [0xff, 1])
        #expect(kernel.text(kernel.word(page + 0x228)) == "quiet")
        #expect(kernel.word(page + 0x21c) == 5000)
    }

    @Test func unpackedKernelsThatAreNotForItAreRefused() {
        #expect(kernelRefusal(KernelImages.vmlinux(entry: 0x20_0000).build()) == .boot(.entry(0x20_0000)))
        var image = KernelImages.vmlinux()
        image.machine = 40
        #expect(kernelRefusal(image.build()) == .boot(.linuxNot64Bit))
        #expect(kernelRefusal(KernelImages.pvh().build(), .linux) == .boot(.linuxNot64Bit))
        let long = String(repeating: "x", count: 2048)
        let tooLong = ImageError.commandLineTooLong(size: 2048, limit: 2047)
        #expect(kernelRefusal(KernelImages.vmlinux().build(), wishes: wishes(long)) == tooLong)
    }

    @Test func kernelsThatAreNotForItAreRefused() {
        var image = KernelImages.linux()
        image.patch(0x206, UInt16(0x20b))
        #expect(kernelRefusal(image) == .boot(.linuxTooOld(0x20b)))
        image = KernelImages.linux()
        image.patch(0x236, UInt16(0))
        #expect(kernelRefusal(image) == .boot(.linuxNot64Bit))
        let long = String(repeating: "x", count: 2048)
        let tooLong = ImageError.commandLineTooLong(size: 2048, limit: 2047)
        #expect(kernelRefusal(KernelImages.linux(), wishes: wishes(long)) == tooLong)
        for size in [1024, 1536] {
            let entry = ImageError.truncated(what: "what is before its entry", needed: 1537, size: UInt64(size))
            #expect(kernelRefusal(Array(KernelImages.linux().prefix(size))) == entry)
        }
        let what = "the kernel, which needs room to unpack itself,"
        let large = BootError.outside(what: what, start: 1 << 20, end: 9 << 20, memory: 8 << 20)
        #expect(kernelRefusal(KernelImages.linux(initialSize: 8 << 20)) == .boot(large))
        let noRoom = BootError.noRoom(what: "the initial RAM disk", size: 7 << 20)
        #expect(kernelRefusal(KernelImages.linux(), wishes: wishes(disk: 7 << 20)) == .boot(noRoom))
        #expect(kernelRefusal([1, 2], .linux) == .boot(.notSuch(.linux)))
    }
}
