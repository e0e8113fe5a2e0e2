// Multiboot kernels: found, loaded, and told of memory, modules and their command line.
//
// Multiboot Specification 0.6.96, chapter 3. Read next: PVHTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct MultibootTests {
    private func kernel(_ wishes: BootWishes = BootWishes(image: "kernel")) throws -> PlannedKernel {
        try PlannedKernel(KernelImages.multiboot().build(), wishes: wishes)
    }

    @Test func itStartsInProtectedModeWithTheMagicNumber() throws {
        let kernel = try kernel()
        #expect(kernel.plan.method == .multiboot)
        #expect(kernel.state.mode == .protected && kernel.state.rip == 0x10_000c && kernel.state.rax == 0x2bad_b002)
        #expect(kernel.bytes(0x10_000c, 2) == [0xeb, 0xfe])
        #expect(kernel.state.cr3 == 0 && kernel.state.rsp == 0)
    }

    @Test func itLearnsHowMuchMemoryThereIs() throws {
        let kernel = try kernel()
        let info = kernel.state.rbx
        #expect(kernel.word(info) & 0x41 == 0x41)
        #expect(kernel.word(info + 4) == 639 && kernel.word(info + 8) == 7 << 10)
        let (length, map) = (kernel.word(info + 44), kernel.word(info + 48))
        var lines: [[UInt64]] = []
        var place = map
        while place < map + length {
            lines.append([kernel.long(place + 4), kernel.long(place + 12), kernel.word(place + 20)])
            place += kernel.word(place) + 4
        }
        #expect(lines == [[0, 0x9_fc00, 1], [0x9_fc00, 0x6_0400, 2], [0x10_0000, 0x70_0000, 1]])
    }

    @Test func itGetsItsNameAndItsArguments() throws {
        let kernel = try kernel(BootWishes(image: "kernel", commandLine: "one two"))
        #expect(kernel.word(kernel.state.rbx) & 4 != 0)
        #expect(kernel.text(kernel.word(kernel.state.rbx + 16)) == "kernel one two")
        #expect(kernel.text(kernel.word(kernel.state.rbx + 64)) == "Swiftlet")
    }

    @Test func modulesLieOnPagesBehindIt() throws {
        let kernel = try kernel(BootWishes(image: "kernel", modules: twoModules))
        let info = kernel.state.rbx
        #expect(kernel.word(info) & 8 != 0 && kernel.word(info + 20) == 2)
        let list = kernel.word(info + 24)
        #expect(kernel.word(list) == 0x10_2000 && kernel.word(list + 4) == 0x10_2000 + 5000)
        #expect(kernel.word(list + 16) == 0x10_4000 && kernel.word(list + 20) == 0x10_400a)
        #expect(kernel.text(kernel.word(list + 8)) == "disk" && kernel.text(kernel.word(list + 24)) == "more with text")
        #expect(kernel.plan.module(1) == 0x10_4000..<0x10_400a)
    }

    @Test func theHeadersAddressesSayWhatLiesWhere() throws {
        let kernel = try PlannedKernel(KernelImages.multibootByAddresses())
        #expect(kernel.bytes(0x10_0000, 16) == [UInt8](repeating: 0x22, count: 16))
        #expect(kernel.word(0x10_0010) == 0x1bad_b002 && kernel.state.rip == 0x10_0040)
        #expect(kernel.plan.image == 0x10_0000..<0x10_1000)
        let shorter = try PlannedKernel(KernelImages.multibootByAddresses(loadEnd: 0x10_0041, bssEnd: 0))
        #expect(shorter.plan.image == 0x10_0000..<0x10_0041 && shorter.bytes(0x10_0041, 1) == [0])
    }

    @Test func anEntryIsAVirtualAddress() throws {
        var builder = KernelImages.multiboot()
        (builder.segments[0].address, builder.segments[0].physical) = (0xc010_0000, 0x10_0000)
        builder.entry = 0xc010_000c
        #expect(try PlannedKernel(builder.build()).state.rip == 0x10_000c)
    }

    @Test func anImageOf64BitsIsLoadedToo() throws {
        let header = KernelImages.multibootHeader()
        let builder = ELFBuilder(
            entry: 0x20_000c,
            segments: [.init(flags: 7, address: 0x20_0000, content: header + [0xeb, 0xfe], memorySize: 0x1000)])
        let kernel = try PlannedKernel(builder.build())
        #expect(kernel.state.rip == 0x20_000c && kernel.state.mode == .protected)
    }

    @Test(arguments: [
        (KernelImages.multibootByAddresses(header: 0xf_ffff), BootError.multibootAddresses),
        (KernelImages.multibootByAddresses(header: 0x10_0041), .multibootAddresses),
        (KernelImages.multibootByAddresses(loadEnd: 0x10_0000), .multibootAddresses),
        (KernelImages.multibootByAddresses(loadEnd: 0x20_0000), .multibootAddresses),
        (KernelImages.multibootByAddresses(bssEnd: 0x10_0001), .multibootAddresses),
        (KernelImages.multibootByAddresses(entry: 0x10_1000), .entry(0x10_1000)),
        (KernelImages.multiboot(flags: 7).build(), .multibootFlags(7)),
        (KernelImages.multiboot(flags: 0x8000).build(), .multibootFlags(0x8000)),
    ])
    func whatCannotBeIsRefused(image: [UInt8], error: BootError) {
        #expect(kernelRefusal(image) == .boot(error))
    }

    @Test func anotherKindOfFileIsRefused() {
        #expect(kernelRefusal([1, 2, 3], .multiboot) == .boot(.notSuch(.multiboot)))
        #expect(kernelRefusal(KernelImages.pvh().build(), .multiboot) == .boot(.notSuch(.multiboot)))
        let header = KernelImages.multibootHeader() + [UInt8](repeating: 0, count: 64)
        #expect(kernelRefusal(header) == .notELF(.multiboot), "a header without addresses, and no ELF")
    }
}
