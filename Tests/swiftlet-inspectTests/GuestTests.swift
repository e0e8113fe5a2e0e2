// Inspecting ELF files: guests are laid out without gaps or overlaps, and whatever is damaged, there is an answer.
//
// Read next: Sources/swiftlet-inspect/MemoryPlan.swift.

import ImageBuilder
import TestSupport
import Testing
import X86

@testable import Boot
@testable import swiftlet_inspect

@Suite struct GuestTests {
    @Test func aGuest() throws {
        let inspection = try inspect(ELFBuilder.fullGuest().build())
        #expect((inspection.kind, inspection.runnable, inspection.problem) == ("swiftlet", true, nil))
        let elf = try #require(inspection.elf)
        #expect((elf.bits, elf.byteOrder, elf.machine) == (64, "little-endian", "x86-64"))
        #expect((elf.entry, elf.entrySymbol) == (0x4_0010, "start"))
        #expect(elf.segments.map(\.type) == ["LOAD", "LOAD", "LOAD", "NOTE", "GNU_STACK"])
        #expect(elf.segments.map(\.access) == ["r--", "r-x", "rw-", "r--", "rw-"])
        #expect(elf.notes.map(\.owner) == ["GNU", "Swiftlet"])
        #expect(inspection.text.contains("can be run: swiftlet run "))
    }

    @Test(arguments: [1 << 20, 64 << 20, 5 << 30] as [UInt64])
    func regionsAreDisjointAndCoverMemory(_ memorySize: UInt64) throws {
        let plan = try #require(try inspect(ELFBuilder.fullGuest().build(), memorySize: memorySize).memory)
        for (lower, upper) in zip(plan.regions, plan.regions.dropFirst()) {
            #expect(lower.start + lower.size == upper.start, "\(lower.what), \(upper.what)")
        }
        #expect(plan.regions.first?.start == 0)
        let memory = AddressMap.memory(size: memorySize)
        #expect(plan.regions.last.map { $0.start + $0.size } == max(memory.low.upperBound, memory.high.upperBound))
        #expect(plan.regions.filter { $0.what.hasPrefix("image") }.map(\.access) == ["r-x", "rw-", "r--"])
    }

    @Test func aMovableGuestIsMoved() throws {
        let plan = try #require(try inspect(ELFBuilder.movableGuest().build()).memory)
        #expect((plan.bias, plan.entry) == (AddressMap.imageStart, AddressMap.imageStart + 0x10))
    }

    @Test func aUnikernelOfSolo5s() throws {
        let manifest = ELFBuilder.solo5Manifest([("storage", 1), ("service", 2)])
        let inspection = try inspect(ELFBuilder.unikernel(manifest: manifest).build())
        #expect((inspection.kind, inspection.runnable, inspection.problem) == ("solo5", true, nil))
        let plan = try #require(inspection.memory)
        for (lower, upper) in zip(plan.regions, plan.regions.dropFirst()) {
            #expect(lower.start + lower.size == upper.start, "\(lower.what), \(upper.what)")
        }
        #expect(plan.regions.last?.what == "network ring" && plan.regions.last?.size == 2 << 20)
        #expect(plan.regions.last.map { $0.start } == 64 << 20)
        #expect(inspection.elf?.notes.last?.meaning.contains("storage (BLOCK_BASIC), service (NET_BASIC)") == true)
        #expect(inspection.text.contains("can be run: swiftlet run --block storage=FILE --net service=tap /"))
        let other = try inspect(ELFBuilder.unikernel(abi: ELFBuilder.solo5ABI(target: 2)).build())
        #expect(!other.runnable && other.problem?.contains("but for spt") == true)
    }

    /// Of a kind that this version does not know, or with a name that no option can have.
    @Test func aUnikernelWhoseDevicesNobodyCanAttach() throws {
        for device in [("odd", 7), ("no name", 1), ("$(x)", 2)] as [(String, UInt32)] {
            let manifest = ELFBuilder.solo5Manifest([device])
            let inspection = try inspect(ELFBuilder.unikernel(manifest: manifest).build())
            #expect(!inspection.runnable && inspection.devices == nil)
            #expect(inspection.problem?.contains("'\(device.0)'") == true, "\(inspection.problem ?? "")")
        }
    }

    @Test func aGuestWithDevices() throws {
        func note(_ name: String, _ kind: UInt8) -> [UInt8] {
            let rest = [UInt8](repeating: 0, count: 32 - name.utf8.count)
            return ELFBuilder.note(owner: "Swiftlet", type: 2, [kind, 0, 0, 0, 0, 0, 0, 0] + Array(name.utf8) + rest)
        }
        let notes = ELFBuilder.swiftletNote() + note("data", 1) + note("tty", 3) + note("net0", 2)
        let inspection = try inspect(ELFBuilder.guest(note: notes).build())
        #expect(inspection.devices?.map(\.kind) == ["block", "console", "net"])
        #expect(inspection.text.contains("can be run: swiftlet run --block data=FILE --net net0=tap /"))
        #expect(
            inspection.elf?.notes.map(\.meaning).suffix(3) == [
                "device data (block)", "device tty (console)", "device net0 (net)",
            ])
        let wrong = try inspect(ELFBuilder.guest(note: ELFBuilder.swiftletNote() + note("data", 9)).build())
        #expect(!wrong.runnable && wrong.problem?.contains("kind 9") == true)
    }

    @Test(arguments: [
        ("multiboot", "Multiboot, entered in 32-bit protected mode", KernelImages.multiboot().build()),
        ("pvh", "Xen PVH, entered in 32-bit protected mode", KernelImages.pvh().build()),
        ("linux", "Linux's 64-bit boot protocol, entered in 64-bit mode", KernelImages.linux()),
        ("boot-sector", "a boot sector, as a BIOS starts it, entered in 16-bit real mode", KernelImages.bootSector()),
    ])
    func aKernelForTheBareCPU(_ kind: String, _ start: String, _ image: [UInt8]) throws {
        for size in [64 << 20, 5 << 30] as [UInt64] {
            let inspection = try inspect(image, memorySize: size)
            #expect((inspection.kind, inspection.runnable, inspection.problem) == (kind, true, nil))
            let plan = try #require(inspection.memory)
            #expect(plan.start == start && inspection.text.contains("starts as \(start)"))
            for (lower, upper) in zip(plan.regions, plan.regions.dropFirst()) {
                #expect(lower.start + lower.size == upper.start, "\(lower.what), \(upper.what)")
            }
            #expect(plan.regions.first?.start == 0)
            #expect(plan.regions.last.map { $0.start + $0.size } == (size < 4 << 30 ? size : 6 << 30))
            #expect(plan.host.slots.count == (size < 4 << 30 ? 1 : 2))
        }
    }

    @Test func bytesAreWhatTheUserSays() throws {
        let folder = ScratchFolder()
        let file = try InspectedFile(try folder.file("image", [0xf4]))
        let wishes = MemoryWishes(size: 2 << 20)
        #expect(!(try Inspection(file, wishes, moduleSize: 0)).runnable)
        let flat = BootMethod.flat(.long, address: 0x10_0000)
        let inspection = try Inspection(file, wishes, moduleSize: 0, boot: flat)
        #expect(inspection.runnable && inspection.memory?.entry == 0x10_0000)
        let module = try Inspection(file, wishes, moduleSize: 1, boot: flat)
        #expect(module.problem == BootError.noModules.message)
    }

    /// Found only by loading.
    @Test func aBadRelocationIsFound() throws {
        let table = ELFBuilder.relocations([(0x2000, 6, 0)])
        let inspection = try inspect(ELFBuilder.movableGuest(relocations: table).build())
        #expect(!inspection.runnable)
        #expect(inspection.problem?.contains("relocation type 6") == true)
    }

    @Test func tooLittleMemory() throws {
        var builder = ELFBuilder.guest()
        builder.segments[0].memorySize = 4 << 20
        let inspection = try inspect(builder.build(), memorySize: 1 << 20)
        #expect(!inspection.runnable)
        #expect(inspection.problem?.contains("--mem") == true)
    }

    @Test func otherPeoplesKernels() throws {
        let kinds: [(String, [UInt8])] = [
            ("solo5", ELFBuilder.note(owner: "Solo5", type: 0x3149_4241, [UInt8](repeating: 1, count: 16))),
            ("pvh", ELFBuilder.note(owner: "Xen", type: 18, [0, 0, 16, 0])),
            ("elf", ELFBuilder.note(owner: "GNU", type: 3, [1, 2, 3, 4])),
        ]
        for (kind, note) in kinds {
            let inspection = try inspect(ELFBuilder.guest(note: note).build())
            #expect((inspection.kind, inspection.runnable) == (kind, false))
        }
        var core = ELFBuilder.guest(note: [])
        core.type = 4
        #expect(try inspect(core.build()).kind == "core")
        core.type = 1
        #expect(try inspect(core.build()).kind == "object")
    }
}

@Suite struct DamageTests {
    /// Control characters from a file's names never reach the terminal.
    @Test func hostileNames() throws {
        var builder = ELFBuilder.fullGuest()
        builder.symbols = [.init("\u{1b}[2Jstart\n", ELFBuilder.codeAddress + 0x10)]
        builder.segments[3].content = ELFBuilder.note(owner: "\u{7}\u{1b}]0;x", [1, 2])
        let text = try inspect(builder.build()).text
        #expect(text.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a })
        #expect(text.contains(".[2Jstart."))
    }

    @Test func everyTruncation() throws {
        let whole = ELFBuilder.fullGuest().build()
        for size in stride(from: 0, to: whole.count, by: 3) {
            let inspection = try inspect(Array(whole.prefix(size)))
            #expect(inspection.runnable || inspection.problem?.isEmpty == false)
            #expect(inspection.text.hasSuffix("\n"))
        }
    }

    /// Each byte of header and program headers, set to values that tend to hurt.
    @Test(arguments: [0x00, 0x01, 0x7f, 0x80, 0xff] as [UInt8])
    func everyDamagedByte(_ value: UInt8) throws {
        let whole = ELFBuilder.movableGuest().build()
        for offset in 0..<ELFBuilder.programHeader(5) + 64 {
            var damaged = whole
            damaged[offset] = value
            let inspection = try inspect(damaged)
            #expect(inspection.runnable == (inspection.problem == nil))
            #expect(!inspection.text.isEmpty)
        }
    }

    /// Words of all ones, and the class and byte order of other machines.
    @Test(arguments: [(1, 1), (2, 2), (1, 2), (2, 1)] as [(UInt8, UInt8)])
    func everyHugeWord(_ identity: (UInt8, UInt8)) throws {
        let whole = ELFBuilder.fullGuest().build()
        for offset in stride(from: 16, to: ELFBuilder.programHeader(5), by: 4) {
            var damaged = whole
            (damaged[4], damaged[5]) = identity
            damaged.patch(offset, UInt64.max)
            #expect(!(try inspect(damaged)).text.isEmpty)
        }
    }
}
