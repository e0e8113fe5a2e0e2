// Control registers, vectors and the address map: what must be set, what must never be, and that nothing overlaps.
//
// Read next: PageTableTests.swift.

import Testing

@testable import X86

@Suite struct ControlRegisterTests {
    @Test func paravirtualGuestGetsProtectionAndNoTraps() {
        #expect(CR0.ring3 == 0x8005_0033, "PG, AM, WP, NE, ET, MP, PE")
        #expect(CR4.ring3 == 0x620, "PAE, OSFXSR, OSXMMEXCPT")
        #expect((CR4.ring3 | CR4.xsave | CR4.fsgsbase) & (3 << 20) == 0, "neither SMEP nor SMAP")
        #expect(EFER.ring3 == 0xd00, "LME, LMA, NXE; no SCE")
        #expect(RFLAGS.ring3 == 0x3202, "IOPL 3, IF")
    }

    @Test(
        arguments: [
            (0x3, 0x3), (0x7, 0x7), (0xe7, 0xe7), (0xe3, 0x3),  // AVX-512 without AVX is nothing
            (0x67, 0x7), (0xa7, 0x7), (0x27, 0x7),  // parts of AVX-512
            (0x1f, 0x7),  // MPX
            (0x602e7, 0xe7),  // AMX needs the kernel's permission, PKRU is for kernels
            (0, 0x3), (UInt64.max, 0xe7),
        ] as [(UInt64, UInt64)])
    func vectorStateIsWhatTheHostHas(host: UInt64, guest: UInt64) { #expect(XCR0.guest(host: host) == guest) }

    /// Intel SDM vol. 3A, table 6-1, and AMD's #VC and #SX.
    @Test func errorCodesComeWithTheRightVectors() {
        let vectors = (0..<256).filter { Vector.hasErrorCode($0) }
        #expect(vectors == [8, 10, 11, 12, 13, 14, 17, 21, 29, 30])
    }

    @Test func everyVectorHasAName() {
        for vector in 0..<256 {
            let name = Vector.name(vector)
            #expect(name.hasSuffix("vector \(vector))") && name.filter { $0 == "(" }.count == 1)
        }
        #expect(Vector.name(Vector.pageFault) == "page fault (#PF, vector 14)")
        #expect(Vector.name(9) == "reserved exception (vector 9)")
        #expect(Vector.name(32) == "interrupt (vector 32)")
    }
}

@Suite struct AddressMapTests {
    @Test func nothingOverlaps() {
        let places: [Range<UInt64>] = [
            AddressMap.gdt..<AddressMap.gdt + UInt64(GDT.limit) + 1,
            AddressMap.idt..<AddressMap.idt + UInt64(IDT.limit) + 1,
            AddressMap.tss..<AddressMap.tss + UInt64(TSS.limit) + 1,
            AddressMap.stubs..<AddressMap.stubs + 256 * Stub.size,
            AddressMap.bootInfo..<AddressMap.memoryMap,
            AddressMap.memoryMap..<AddressMap.commandLine,
            AddressMap.commandLine..<AddressMap.commandLine + AddressMap.commandLineCapacity,
            AddressMap.vcpuArea,
            AddressMap.imageStart..<AddressMap.hole.lowerBound,
            AddressMap.hole,
        ]
        for (lower, upper) in zip(places, places.dropFirst()) { #expect(lower.upperBound <= upper.lowerBound) }
        for place in places[..<4] { #expect(AddressMap.machine.contains(place.lowerBound)) }
        #expect(places[3].upperBound <= AddressMap.machine.upperBound)
        #expect(AddressMap.machine.upperBound <= AddressMap.memoryStart)
    }

    @Test func everyVCPUHasItsTwoPages() {
        let count = Int(AddressMap.vcpuArea.upperBound - AddressMap.vcpuArea.lowerBound) / 0x2000
        for vcpu in 0..<count {
            #expect(AddressMap.callPage(vcpu: vcpu) % 4096 == 0)
            #expect(AddressMap.reportStackTop(vcpu: vcpu) == AddressMap.callPage(vcpu: vcpu) + 0x2000)
            #expect(AddressMap.vcpuArea.contains(AddressMap.reportStackTop(vcpu: vcpu) - 1))
        }
    }

    @Test func memoryGoesAroundTheHole() {
        let gib: UInt64 = 1 << 30
        #expect(AddressMap.memory(size: 1 << 20) == (0x1_0000..<0x10_0000, 0..<0))
        #expect(AddressMap.memory(size: 3 * gib) == (0x1_0000..<3 * gib, 0..<0))
        #expect(AddressMap.memory(size: 3 * gib + 4096) == (0x1_0000..<3 * gib, 4 * gib..<4 * gib + 4096))
        #expect(AddressMap.memory(size: 64 * gib) == (0x1_0000..<3 * gib, 4 * gib..<65 * gib))
        #expect(AddressMap.memory(size: 0).low.isEmpty, "never a range that ends before it starts")
        #expect(AddressMap.memory(size: 1 << 62).high.upperBound == 1 << 62 + gib)
    }
}
