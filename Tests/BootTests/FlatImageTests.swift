// Flat images in three modes, boot sectors, and what all kernels have in common: names of `--boot`, room, messages.
//
// Read next: LinuxBootTests.swift.

import ImageBuilder
import Testing
import X86

@testable import Boot

@Suite struct FlatImageTests {
    private let loop: [UInt8] = [0xeb, 0xfe]

    @Test func aBootSectorStartsAsABIOSStartsIt() throws {
        let kernel = try PlannedKernel(KernelImages.bootSector())
        #expect(kernel.plan.method == .bootSector && kernel.state.mode == .real && kernel.state.entry == 0x7c00)
        #expect(kernel.state.code == 0 && kernel.state.rdx == 0x80 && kernel.bytes(0x7c00, 2) == loop)
    }

    @Test func interruptsLeadToHaltsThatTellThemApart() throws {
        let kernel = try PlannedKernel(KernelImages.bootSector())
        for vector in [0, 0x10, 0xff] as [UInt64] {
            let (offset, segment) = (kernel.word(vector * 4) & 0xffff, kernel.word(vector * 4) >> 16)
            let place = segment << 4 + offset
            #expect(kernel.bytes(place, 1) == [0xf4])
            #expect(FlatImage.firmwareCall(before: place + 1) == .vector(UInt8(vector)))
        }
        #expect(kernel.bytes(0xf_fff0, 1) == [0xf4] && FlatImage.firmwareCall(before: 0xf_fff1) == .reset)
        #expect(FlatImage.firmwareCall(before: 0xf_f000) == nil && FlatImage.firmwareCall(before: 0) == nil)
    }

    @Test func aFlatImageStartsInTheModeThatWasAskedFor() throws {
        let real = try PlannedKernel(loop, .flat(.real, address: 0x2_3456))
        #expect(real.state.code == 0x2345 && real.state.rip == 6 && real.state.entry == 0x2_3456)
        let protected = try PlannedKernel(loop, .flat(.protected, address: 0x10_0000))
        #expect(protected.state.rip == 0x10_0000 && protected.state.rsp == 8 << 20 && protected.state.cr3 == 0)
        let long = try PlannedKernel(loop, .flat(.long, address: 0x10_0000))
        #expect(long.state.mode == .long && long.bytes(0x10_0000, 2) == loop)
        for address in [0, 0x10_0000, 0xfee0_0123] as [UInt64] {
            let mapping = PageWalk.translate(address, root: long.state.cr3, in: long.memory)
            #expect(mapping?.physical == address && mapping?.flags.contains(.writable) == true)
        }
        #expect(long.long(long.state.gdt + UInt64(long.state.code)) == 0x00af_9b00_0000_ffff)
        #expect(long.long(long.state.gdt + UInt64(long.state.data)) == 0x00cf_9300_0000_ffff)
    }

    @Test func namesOfBootMethods() {
        #expect(BootMethod("multiboot") == .multiboot && BootMethod("boot-sector") == .bootSector)
        #expect(BootMethod("flat16") == .flat(.real, address: 0x7c00))
        #expect(BootMethod("flat32@0x200000") == .flat(.protected, address: 0x20_0000))
        #expect(BootMethod("flat64@4096") == .flat(.long, address: 4096))
        for wrong in ["", "flat", "flat64@", "flat64@0x", "flat64@-1", "flat64@1@2", "pvh@1", "PVH"] {
            #expect(BootMethod(wrong) == nil, "\(wrong)")
        }
    }

    @Test(
        arguments: [
            (KernelImages.bootSector() + [0], .bootSector, BootError.bootSectorSize(513)),
            ([1, 2, 3], .bootSector, .notSuch(.bootSector)),
            ([1], .flat(.real, address: 0xf_f000), .realModeAddress(0xf_f000)),
            ([1], .flat(.real, address: 0x3ff), .overlap("interrupt vectors", "the image")),
            (
                [1], .flat(.protected, address: 8 << 20),
                .outside(what: "the image", start: 8 << 20, end: 8 << 20 + 1, memory: 8 << 20)
            ),
            ([1], .flat(.long, address: .max), .outside(what: "the image", start: .max, end: .max, memory: 8 << 20)),
        ] as [([UInt8], BootMethod, BootError)])
    func whatCannotBeIsRefused(image: [UInt8], method: BootMethod, error: BootError) {
        #expect(kernelRefusal(image, method) == .boot(error))
        #expect(ImageError.boot(error).isReadable)
    }

    @Test func nothingIsGivenThatWouldNotArrive() {
        func refusal(_ method: BootMethod, _ wishes: BootWishes) -> ImageError? {
            kernelRefusal(method == .linux ? KernelImages.linux() : loop, method, wishes: wishes)
        }
        let flat = BootMethod.flat(.protected, address: 1 << 20)
        #expect(refusal(flat, BootWishes(image: "", commandLine: "x")) == .boot(.noCommandLine))
        #expect(refusal(flat, BootWishes(image: "", modules: twoModules)) == .boot(.noModules))
        let both = BootWishes(image: "", modules: twoModules, hasInitialDisk: true)
        #expect(refusal(flat, both) == .boot(.noInitialDisk))
        #expect(refusal(.linux, BootWishes(image: "", modules: twoModules)) == .boot(.onlyInitialDisk))
        #expect(refusal(.linux, both) == .boot(.onlyInitialDisk))
        let large = BootWishes(image: "", modules: [.init(path: "disk", size: .max)])
        let noRoom = BootError.noRoom(what: "the first module", size: .max)
        #expect(kernelRefusal(KernelImages.pvh().build(), wishes: large) == .boot(noRoom))
        let long = BootWishes(image: "", commandLine: String(repeating: "x", count: 1 << 20))
        let text = kernelRefusal(KernelImages.pvh().build(), wishes: long)
        let size: UInt64 = 56 + 3 * 24 + (1 << 20) + 1
        #expect(text == .boot(.noRoom(what: "PVH start info", size: size)))
    }

    @Test func theFilesNothingIsAnError() { #expect(kernelRefusal([], .flat(.long, address: 0)) == .empty) }

    @Test func piecesAreASurveyOfMemory() throws {
        let kernel = try PlannedKernel(KernelImages.pvh().build(), wishes: BootWishes(image: "", modules: twoModules))
        var next: UInt64 = 0
        for line in kernel.plan.memoryMap {
            #expect(line.start == next && line.size > 0)
            next = line.start + line.size
        }
        #expect(next == 8 << 20)
        #expect(kernel.plan.memoryMap.map(\.type) == [1, 3, 1, 5, 8, 1, 8, 1])
    }
}
