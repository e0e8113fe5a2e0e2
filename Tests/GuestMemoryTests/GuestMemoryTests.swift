// Guest memory as memory: what is written is read, it starts as zeros, it is given back.
//
// Read next: KVMTests.

import Glibc
import Testing

@testable import GuestMemory

@Suite struct GuestMemoryTests {
    private func small() throws -> GuestMemory { try GuestMemory(low: 0x1_0000..<0x40_0000) }

    @Test func startsAsZeros() throws {
        let memory = try small()
        for address in stride(from: UInt64(0x1_0000), to: 0x40_0000, by: 0x1_1000) {
            #expect(memory.read(GuestAddress(address), as: UInt64.self) == 0)
        }
    }

    /// What a core file and a snapshot leave out: one byte anywhere in a page keeps it.
    @Test(arguments: [0, 1, 31, 2048, 4095]) func aPageWithOneByteIsNotZero(offset: UInt64) throws {
        let memory = try small()
        let page = GuestAddress(0x2_0000)
        memory.write(UInt8(1), at: GuestAddress(0x1_ffff))
        memory.write(UInt8(1), at: GuestAddress(0x2_1000))
        #expect(isZero(at: memory.hostBase + UInt(page.rawValue), 4096))
        memory.write(UInt8(0x80), at: GuestAddress(page.rawValue + offset))
        #expect(!isZero(at: memory.hostBase + UInt(page.rawValue), 4096))
    }

    private func smaps() throws -> String {
        let fd = open("/proc/self/smaps", O_RDONLY)
        defer { close(fd) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = Glibc.read(fd, &chunk, chunk.count), count > 0 { bytes += chunk.prefix(count) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// "nh" in /proc/self/smaps (proc(5), VmFlags): no huge pages are advised. "hg": they are.
    @Test func smallPagesAreAdvised() throws {
        func flags(_ memory: borrowing GuestMemory, at offset: UInt64) throws -> [Substring] {
            let address = UInt64(memory.hostBase) + offset
            var isInside = false
            for line in try smaps().split(separator: "\n") {
                let words = line.split(separator: " ")
                if words[0] == "VmFlags:", isInside { return words }
                let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
                if ends.count == 2 { isInside = ends[0] <= address && address < ends[1] }
            }
            return []
        }
        let memory = try GuestMemory(low: 0..<0x80_0000)
        #expect(try flags(memory, at: 0x40_0000).contains("hg"))
        memory.useSmallPages()
        #expect(try flags(memory, at: 0x40_0000).contains("nh"))
        #expect(try flags(memory, at: 0).contains("nh"))
    }

    @Test func valuesComeBackFromAnyAlignment() throws {
        let memory = try small()
        for offset in 0..<16 as Range<UInt64> {
            let address = GuestAddress(0x1_0ff8 + offset)
            let value = 0x0123_4567_89ab_cdef &+ offset
            #expect(memory.write(value, at: address) == true)
            #expect(memory.read(address, as: UInt64.self) == value)
            #expect(memory.read(address, as: UInt8.self) == UInt8(truncatingIfNeeded: value), "little-endian")
        }
    }

    @Test func bytesComeBack() throws {
        let memory = try small()
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
        let place = GuestAddress(0x40_0000 - 10_000)
        #expect(memory.write(bytes: bytes, at: place) == true)
        #expect(memory.bytes(place, bytes.count) == bytes)
        #expect(memory.bytes(place, 0) == [])
        #expect(memory.bytes(place, -1) == nil)
        #expect(memory.write(bytes: [], at: place) == true)
    }

    @Test func spansAreTheMemoryItself() throws {
        let memory = try small()
        let place = GuestAddress(0x2_0000)
        memory.withMutableSpan(place, 16) { $0.storeBytes(of: UInt32(0xfeed), toByteOffset: 12, as: UInt32.self) }
        #expect(memory.read(place + 12, as: UInt32.self) == 0xfeed)
        let sum = memory.withSpan(place, 16) { span in
            (0..<16).reduce(0) { $0 + Int(span.unsafeLoad(fromByteOffset: $1, as: UInt8.self)) }
        }
        #expect(sum == 0xfe + 0xed)
    }

    @Test func hostAndGuestPagesAreAlignedAlike() throws {
        for _ in 0..<8 {
            let memory = try small()
            #expect(memory.hostBase % (2 << 20) == 0)
        }
    }

    /// 3000 times 64 GiB are more than there is address space: it must have been given back each time.
    @Test func addressSpaceIsGivenBack() throws {
        for _ in 0..<3000 { _ = try GuestMemory(low: 0x1_0000..<0x20_0000, high: 1 << 32..<1 << 36) }
    }

    @Test(arguments: [1 << 47, 1 << 62, 1 << 63, UInt64.max - 4095])
    func moreThanThereIsAddressSpaceIsAnError(size: UInt64) {
        #expect(throws: GuestMemoryError.mapping(size, errno: ENOMEM)) {
            _ = try GuestMemory(low: 0x1_0000..<0x20_0000, high: 1 << 32..<size)
        }
    }
}

@Suite struct GuestAtomicTests {
    @Test func wordsAreShared() throws {
        let memory = try GuestMemory(low: 0x1_0000..<0x20_0000)
        guard let word = GuestAtomic(memory, GuestAddress(0x1_0120)) else {
            Issue.record("that is memory")
            return
        }
        #expect(word.load() == 0)
        word.store(7)
        #expect(memory.read(GuestAddress(0x1_0120), as: UInt32.self) == 7)
        memory.write(UInt32.max, at: GuestAddress(0x1_0120))
        #expect(word.load() == .max)
    }

    @Test(
        arguments: [0, 0xfffc, 0x1_0001, 0x1_0002, 0x1_0003, 0x20_0000, 0x20_0004, 0xffff_ffff_ffff_fffc] as [UInt64])
    func noWordOutsideMemoryOrAcrossWords(address: UInt64) throws {
        let memory = try GuestMemory(low: 0x1_0000..<0x20_0000)
        #expect(GuestAtomic(memory, GuestAddress(address)) == nil)
    }
}

@Suite struct GuestAddressTests {
    @Test func sumsWrapAndTheGateDecides() {
        #expect(GuestAddress(.max) + 2 == GuestAddress(1))
        #expect(GuestAddress(1) < GuestAddress(rawValue: 2))
        #expect(GuestAddress(0xbeef).description == "0xbeef")
    }

    /// munmap(2) at address 0 takes what lies behind it: of a program without PIE, the program.
    @Test func givesBackNothingButItsOwn() throws {
        // Sound: no address that anything else has.
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
        let low = unsafe mmap(UnsafeMutableRawPointer(bitPattern: 16 << 20), 4096, PROT_READ, flags, -1, 0)
        guard let low = unsafe low, unsafe low != MAP_FAILED else { return }  // somebody has it
        defer { unsafe munmap(low, 4096) }
        do { _ = try GuestMemory(low: 0x1_0000..<0x40_0000, limit: 1 << 40) }
        #expect(unsafe msync(low, 4096, MS_ASYNC) == 0)  // ENOMEM where nothing is mapped
    }
}
