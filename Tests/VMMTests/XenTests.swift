// Xen's interface, without a vCPU: leaves, the page of stubs, hypercalls of both modes with arguments of any kind.
//
// Read next: Sources/VMM/Identity/Xen.swift.

import Glibc
import GuestMemory
import KVM
import Testing
import X86

@testable import VMM

/// Linear addresses are physical ones, but for the pages that are mapped nowhere.
private struct FlatPages: LinearMemory {
    var missing: Range<UInt64> = 0x7_0000..<0x7_1000

    func physicalAddress(_ linear: UInt64, to _: Access.Kind, _: borrowing GuestMemory) -> UInt64? {
        missing.contains(linear) ? nil : linear
    }
}

@Suite final class XenTests {
    private static let size: UInt64 = 0x10_0000
    private let memory: GuestMemory
    private var xen: Xen
    private var effect = XenEffect.none

    init() throws {
        memory = try GuestMemory(low: 0..<Self.size)
        let clock = MachineClock(frequency: 2_000_000_000, hostStart: 0, guestStart: 0)
        xen = Xen(MachineFacts(clock, cpus: 2, memorySize: Self.size, random: (1, 2)))
    }

    private static let argument: UInt64 = 0x5000

    /// A call with a struct of 32-bit numbers at `argument`: its result.
    private func call(
        _ number: UInt32, _ command: UInt64, _ words: [UInt32] = [], second: UInt64? = nil, isLong: Bool = true,
        cpu: Int = 0
    ) -> Int64 {
        for (index, word) in words.enumerated() {
            memory.write(word, at: GuestAddress(Self.argument + 4 * UInt64(index)))
        }
        return call(number, command, second ?? Self.argument, Self.argument, isLong: isLong, cpu: cpu)
    }

    private func call(
        _ number: UInt32, _ command: UInt64, _ second: UInt64, _ third: UInt64, isLong: Bool = true, cpu: Int = 0
    ) -> Int64 {
        var registers = Registers()
        registers.rax = UInt64(number)
        if isLong {
            (registers.rdi, registers.rsi, registers.rdx) = (command, second, third)
        } else {
            (registers.rbx, registers.rcx, registers.rdx) = (command, second, third)
        }
        effect = xen.call(&registers, isLong: isLong, cpu: cpu, memory, through: FlatPages())
        return isLong ? Int64(bitPattern: registers.rax) : Int64(Int32(truncatingIfNeeded: registers.rax))
    }

    private func word(_ address: UInt64) -> UInt32? { memory.read(GuestAddress(address)) }

    private static let own: UInt32 = 0x7ff0

    /// XENMEM_add_to_physmap, of 64 bits and of 32.
    private func share(_ page: UInt32, isLong: Bool = true) -> Int64 {
        call(12, 7, isLong ? [Self.own, 0, 0, 0, page, 0] : [Self.own, 0, 0, page], isLong: isLong)
    }

    /// A channel of a processor's own.
    private func channel(cpu: UInt32 = 0) throws -> UInt32 {
        try #require(call(32, 7, [cpu, 0]) == 0)
        return try #require(word(Self.argument + 4))
    }

    @Test func leavesSayWhatIsThere() {
        let leaves = Identity.xen.leaves([], frequency: 2_000_000_000)
        #expect(leaves[0].eax == 0x4000_0004 && leaves[0].ebx == 0x566e_6558 && leaves[0].edx == 0x4d4d_566e)
        #expect(leaves[2].eax == 1 && leaves[2].ebx == Xen.register && leaves.last?.eax == 1 << 6)
        #expect(Identity.xen.registers == Xen.register...Xen.register)
    }

    @Test func thePageHasAStubForEachNumber() {
        #expect(xen.writeRegister(0x8000, memory) == .written)
        for number: UInt64 in 0..<128 {
            let stub = memory.bytes(GuestAddress(0x8000 + 32 * number), 9)
            #expect(stub == [0xb8, UInt8(number), 0, 0, 0, 0xe7, 0x9f, 0xc3, 0xcc])
        }
        for value: UInt64 in [0x8001, Self.size, .max, .max & ~0xfff, Self.size - 2048] {
            #expect(xen.writeRegister(value, memory) == .refused)
        }
    }

    @Test(arguments: [true, false]) func theSharedPageIsFilled(isLong: Bool) {
        #expect(share(9, isLong: isLong) == 0)
        let (words, mask): (UInt64, UInt64) = isLong ? (128, 0x9000 + 2560) : (32, 0x9000 + 2176)
        #expect(word(0x9000 + 2048) == 0 && word(mask) == .max && word(mask + 4 * words - 4) == .max)
        #expect(word(mask + 4 * words) == 2 && (word(mask + 4 * words + 4) ?? 0) > 1_700_000_000)
        for cpu: UInt64 in 0..<32 { #expect(word(0x9000 + 64 * cpu + 32) == 2 && word(0x9000 + 64 * cpu + 56) != 0) }
        #expect(word(0xa000) == 0)
    }

    @Test func pagesThatAreNoneAreRefused() {
        for page: UInt32 in [UInt32(Self.size >> 12), .max] { #expect(share(page) == -Int64(EINVAL)) }
        #expect(call(12, 7, [Self.own, 0, 0, 0, .max, .max]) == -Int64(EINVAL))
        #expect(call(12, 7, [Self.own, 1, 0, 0, 9, 0]) == -Int64(EINVAL), "grant tables")
        #expect(call(12, 7, [1, 0, 0, 0, 9, 0]) == -Int64(ESRCH))
        #expect(xen.shared == nil)
    }

    @Test func argumentsOutsideOfMemoryAreAnError() {
        for pointer: UInt64 in [0x6_fffc, 0x7_0000, Self.size - 2, Self.size, .max - 3, 1 << 63] {
            #expect(call(17, 6, pointer, 0) == -Int64(EFAULT), "\(pointer)")
            #expect(call(17, 3, pointer, 0) == -Int64(EFAULT), "\(pointer)")
        }
        #expect(call(17, 3, 0x6_fc00, 0) == 0, "up to the page's end")
    }

    /// Four levels of tables; in the last, pages 5 to 8 are the kernel's, for reading only, nobody's, and its programs'.
    @Test func argumentsAreWhereTheKernelItselfMayReadAndWrite() {
        for level: UInt64 in 1...3 { memory.write((level + 1) << 12 | 7, at: GuestAddress(level << 12)) }
        for (page, flags): (UInt64, UInt64) in [(5, 3), (6, 1), (8, 7)] {
            memory.write(page << 12 | flags, at: GuestAddress(0x4000 + 8 * page))
        }
        func ask(_ command: UInt64, _ page: UInt64, cr0: UInt64 = 0, cr4: UInt64 = 0) -> Int64 {
            let longMode = EFER.longModeEnable | EFER.longModeActive
            let pages = PagingState(
                cr0: CR0.protectedMode | CR0.paging | cr0, cr3: 0x1000, cr4: CR4.physicalAddressExtension | cr4,
                efer: longMode)
            var registers = Registers()
            (registers.rax, registers.rdi, registers.rsi) = (17, command, page << 12)
            _ = xen.call(&registers, isLong: true, cpu: 0, memory, through: pages)
            return Int64(bitPattern: registers.rax)
        }
        #expect(ask(3, 5, cr0: CR0.writeProtect) == 0 && memory.bytes(GuestAddress(0x5000), 4) == Array("hvm-".utf8))
        #expect(
            ask(3, 6, cr0: CR0.writeProtect) == -Int64(EFAULT) && ask(3, 6) == 0,
            "for reading only, if the kernel heeds it")
        #expect(ask(3, 7) == -Int64(EFAULT) && ask(3, 8) == 0)
        #expect(ask(3, 8, cr4: CR4.supervisorAccess) == -Int64(EFAULT), "its programs', by SMAP")
    }

    @Test func theConsoleTakesTextUpToItsLimit() {
        memory.write(text: "word", at: GuestAddress(Self.argument))
        #expect(call(18, 0, 4, Self.argument) == 0 && effect == .print(Array("word".utf8)))
        #expect(call(18, 0, 0, 0) == 0 && effect == .print([]))
        #expect(call(18, 0, 65_537, 0x2_0000) == -Int64(E2BIG) && effect == .none)
        #expect(call(18, 0, .max, Self.argument) == -Int64(E2BIG))
        #expect(call(18, 1, 10, Self.argument) == 0)
    }

    @Test func theMapIsAsLongAsThereIsRoom() {
        #expect(call(12, 9, [10, 0, 0x6000, 0]) == 0 && word(Self.argument) == 2)
        #expect(word(0x6000 + 8) == 0x9_fc00 && word(0x6000 + 16) == 1)
        #expect(call(12, 9, [1, 0, 0x6000, 0]) == 0 && word(Self.argument) == 1)
        #expect(call(12, 9, [10, 0, 0x7_0000, 0]) == -Int64(EFAULT))
        #expect(call(12, 3, [Self.own]) == Int64(Self.size >> 12) && call(12, 3, [2]) == -Int64(ESRCH))
    }

    @Test func eventsAreToldOnceAndWhenTheyAreNotMasked() throws {
        #expect(share(9) == 0)
        #expect(call(34, 23, [0, 0x30]) == 0)
        let port = try channel()
        let bit = UInt32(1) << port
        #expect(call(32, 4, [port]) == 0 && effect == .none && word(0x9800) == bit && word(0x9000) == 0, "masked")
        #expect(call(32, 9, [port]) == 0 && effect == .upcall(cpu: 0, 0x30))
        #expect(word(0x9000) == 1 && word(0x9008) == 1 && word(0x9a00) == ~bit)
        #expect(call(32, 4, [port]) == 0 && effect == .none, "it is pending")
        memory.write(UInt32(0), at: GuestAddress(0x9800))
        #expect(call(32, 4, [port]) == 0 && effect == .none, "and told: the flag is still up")
        memory.write(UInt32(0), at: GuestAddress(0x9800))
        memory.write(UInt32(0), at: GuestAddress(0x9000))
        #expect(call(32, 4, [port]) == 0 && effect == .upcall(cpu: 0, 0x30))
    }

    @Test func channelsLeadToTheirProcessor() throws {
        #expect(share(9, isLong: false) == 0 && call(34, 23, [1, 0x31]) == 0)
        let port = try channel(cpu: 1)
        #expect(call(32, 9, [port]) == 0 && call(32, 4, [port]) == 0 && effect == .upcall(cpu: 1, 0x31))
        #expect(word(0x9040) == 1 && word(0x9044) == 1 && word(0x9000) == 0)
        #expect(call(32, 8, [port, 0]) == -Int64(EINVAL), "its own")
        #expect(call(32, 5, [Self.own, port, 0, 0, 0, 0]) == 0 && word(Self.argument + 8) == 5)
        #expect(call(32, 7, [2, 0]) == -Int64(ENOENT) && call(34, 23, [0, 3]) == -Int64(EINVAL))
    }

    @Test func channelsThatAreNoneAreRefused() throws {
        for port: UInt32 in [0, 1, 1023, 1024, .max] {
            for command: UInt64 in [3, 4, 8, 9] { #expect(call(32, command, [port, 0]) == -Int64(EINVAL)) }
        }
        #expect(call(32, 5, [Self.own, 1024, 0, 0, 0, 0]) == -Int64(EINVAL))
        for _ in 1..<1024 { _ = try channel() }
        #expect(call(32, 7, [0, 0]) == -Int64(ENOSPC))
        #expect(call(32, 3, [500]) == 0 && call(32, 7, [0, 0]) == 0 && word(Self.argument + 4) == 500)
        #expect(call(32, 10, [Self.own]) == 0 && call(32, 4, [500]) == -Int64(EINVAL))
    }

    @Test func twoEndsReachEachOther() throws {
        #expect(share(9) == 0)
        #expect(call(32, 6, [Self.own | Self.own << 16, 0]) == 0)
        let first = try #require(word(Self.argument + 4))
        #expect(call(32, 0, [Self.own, first, 0]) == 0)
        let second = try #require(word(Self.argument + 8))
        #expect(word(0x9800) == 1 << second, "what came before is lost")
        #expect(call(32, 4, [second]) == 0 && word(0x9800) == 1 << first | 1 << second)
        #expect(call(32, 8, [first, 1]) == 0 && call(32, 8, [first, 2]) == -Int64(ENOENT))
        #expect(call(32, 0, [Self.own, first, 0]) == -Int64(EINVAL), "it has its peer")
        #expect(call(32, 3, [second]) == 0 && word(0x9800) == 1 << first, "the number's next begins anew")
        #expect(call(32, 4, [first]) == 0 && call(32, 0, [Self.own, first, 0]) == 0)
        #expect(call(32, 10, [Self.own]) == 0 && word(0x9800) == 0)
    }

    @Test func aVectorThatIsNamedLateHearsOfWhatIsPending() throws {
        #expect(share(9) == 0)
        let port = try channel()
        #expect(call(32, 9, [port]) == 0 && call(32, 4, [port]) == 0 && effect == .none && word(0x9000) == 1)
        #expect(call(34, 23, [0, 0x30]) == 0 && effect == .upcall(cpu: 0, 0x30))
    }

    @Test func infoMovesOnceInsideAPage() {
        #expect(share(9) == 0)
        for (page, offset): (UInt32, UInt32) in [(5, 4040), (5, 4), (256, 0), (.max, 0)] {
            #expect(call(24, 10, [page, 0, offset, 0], second: 0) == -Int64(EINVAL))
        }
        memory.write(UInt32(7), at: GuestAddress(0x9008))
        #expect(call(34, 23, [0, 0x30]) == 0 && effect == .none)
        #expect(call(24, 10, [6, 0, 4032, 0], second: 0) == 0 && word(0x6fc8) == 7 && word(0x6fc0 + 32) == 2)
        #expect(effect == .none && word(0x6fc0) == 0, "an interrupt that is too early for Linux would be its last")
        #expect(call(24, 10, [6, 0, 0, 0], second: 0) == -Int64(EINVAL))
        #expect(call(24, 10, [6, 0, 0, 0], second: 2) == -Int64(ENOENT))
    }

    /// The host's TSC is far beyond the start here.
    @Test func aTimerIsItsProcessorsVirtualInterrupt() throws {
        #expect(share(9) == 0 && call(34, 23, [1, 0x31]) == 0 && call(32, 1, [0, 1, 0]) == 0)
        let port = try #require(word(Self.argument + 8))
        #expect(call(32, 9, [port]) == 0)
        #expect(call(24, 8, [1, 0, 1, 0], second: 1, cpu: 1) == -Int64(ETIME), "it is over")
        #expect(call(24, 8, [1, 0, 0, 0], second: 0, cpu: 1) == -Int64(EINVAL), "another's")
        #expect(call(24, 8, [1, 0, 0, 0], second: 1, cpu: 1) == 0 && effect == .timer && xen.remaining(cpu: 1) == 0)
        #expect(xen.expire(cpu: 0, memory) == .none)
        #expect(xen.expire(cpu: 1, memory) == .upcall(cpu: 1, 0x31) && word(0x9800) == 1 << port)
        #expect(xen.remaining(cpu: 1) == nil && xen.expire(cpu: 1, memory) == .none)
        #expect(call(24, 8, [.max, .max, 0, 0], second: 1, cpu: 1) == 0 && (xen.remaining(cpu: 1) ?? 0) > 1 << 60)
        #expect(call(24, 9, [], second: 1, cpu: 1) == 0 && xen.remaining(cpu: 1) == nil)
    }

    @Test func theEndHasAReason() {
        #expect(call(29, 2, [0]) == 0 && effect == .shutdown(.powerOff))
        #expect(call(29, 2, [1]) == 0 && effect == .shutdown(.powerOff))
        #expect(call(29, 2, [3]) == 0 && effect == .shutdown(.crash))
        #expect(call(29, 2, [9]) == -Int64(EINVAL) && effect == .none)
    }

    @Test func parametersAreTheGuestsOwn() {
        #expect(call(34, 0, [Self.own, 38, 5, 6]) == 0)
        #expect(
            call(34, 1, [Self.own, 38, 0, 0]) == 0 && word(Self.argument + 8) == 5 && word(Self.argument + 12) == 6)
        for index: UInt32 in [39, .max] { #expect(call(34, 1, [Self.own, index, 0, 0]) == -Int64(EINVAL)) }
        #expect(call(34, 1, [3, 1, 0, 0]) == -Int64(ESRCH))
    }

    @Test func noOtherCallIsThere() {
        for number: UInt32 in 0..<256 where ![12, 17, 18, 24, 29, 32, 34].contains(number) {
            #expect(call(number, 0) == -Int64(ENOSYS))
        }
        for number: UInt32 in [12, 17, 18, 29, 32, 34] { #expect(call(number, 99) == -Int64(ENOSYS)) }
    }
}
