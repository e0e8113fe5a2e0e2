// Descriptor tables against the manual's layouts: each word is taken apart as the CPU does it.
//
// Intel SDM vol. 3A: figure 3-8 (segment descriptor), 8-4 (TSS descriptor), 6-8 (gate), 8-11 (64-bit TSS).
// Read next: PageTableTests.swift.

import Testing

@testable import X86

/// A segment or system descriptor's first word, by the manual's field names.
struct DescriptorFields: Equatable {
    var base: UInt64
    var limit: UInt64
    var type: UInt64
    var s: UInt64
    var dpl: UInt64
    var p: UInt64
    var l: UInt64
    var db: UInt64
    var g: UInt64

    init(_ word: UInt64) {
        base = word >> 16 & 0xff_ffff | (word >> 56) << 24
        limit = word & 0xffff | (word >> 48 & 0xf) << 16
        type = word >> 40 & 0xf
        s = word >> 44 & 1
        dpl = word >> 45 & 3
        p = word >> 47 & 1
        l = word >> 53 & 1
        db = word >> 54 & 1
        g = word >> 55 & 1
    }
}

@Suite struct GDTTests {
    let table = GDT.entries(tss: AddressMap.tss, tssLimit: TSS.limit)

    @Test func codeIsFlatLongModeAtRing3() {
        let code = DescriptorFields(table[Int(Selector.userCode >> 3)])
        #expect((code.base, code.limit, code.g) == (0, 0xfffff, 1))
        #expect((code.p, code.s, code.dpl) == (1, 1, 3))
        #expect(code.type == 0b1011, "execute, read, accessed: the CPU never writes the bit")
        #expect((code.l, code.db) == (1, 0))
    }

    @Test func dataIsFlatAndWritableAtRing3() {
        let data = DescriptorFields(table[Int(Selector.userData >> 3)])
        #expect((data.base, data.limit, data.g) == (0, 0xfffff, 1))
        #expect((data.p, data.s, data.dpl) == (1, 1, 3))
        #expect(data.type == 0b0011, "read, write, accessed")
        #expect((data.l, data.db) == (0, 1))
    }

    @Test(arguments: [0, 0x3000, 0xdead_b000, 0xffff_ffff_ffff_f000, 0x0123_4567_89ab_c000] as [UInt64])
    func taskStateSegmentIsFoundWhereItIs(base: UInt64) {
        let table = GDT.entries(tss: base, tssLimit: 0xa_bcde)
        let low = DescriptorFields(table[Int(Selector.tss >> 3)])
        #expect(low.base | table[Int(Selector.tss >> 3) + 1] << 32 == base)
        #expect((low.limit, low.g) == (0xa_bcde, 0))
        #expect((low.type, low.s, low.dpl, low.p) == (0xb, 0, 0, 1), "a busy 64-bit TSS")
    }

    @Test func everythingElseIsNull() {
        let used = [Selector.userCode, Selector.userData, Selector.tss, Selector.tss + 8].map { Int($0 >> 3) }
        for index in table.indices where !used.contains(index) { #expect(table[index] == 0) }
        #expect(Int(GDT.limit) == table.count * 8 - 1)
    }

    @Test func selectorsAskForTheirPrivilege() {
        #expect(Selector.userCode & 7 == 3)
        #expect(Selector.userData & 7 == 3)
        #expect(Selector.tss & 7 == 0)
    }
}

@Suite struct IDTTests {
    static let handlers: [UInt64] = [0, 0x6000, 0x4_1234, 0x7fff_ffff_ffff, 0xffff_8000_1234_5678, .max]

    @Test(arguments: handlers, [0, 1] as [UInt64])
    func gateIsATrapGateToRing3(handler: UInt64, stack: UInt64) {
        for vector in 0..<256 {
            let (low, high) = IDT.gate(vector: vector, handler: handler, stack: stack)
            #expect(low & 0xffff | (low >> 48) << 16 | high << 32 == handler)
            #expect(low >> 16 & 0xffff == UInt64(Selector.userCode))
            #expect(low >> 32 & 7 == stack)
            #expect(low >> 35 & 0x1f == 0, "reserved")
            #expect(low >> 40 & 0x1f == 0xf, "a 64-bit trap gate")
            #expect(low >> 47 & 1 == 1, "present")
            #expect(high >> 32 == 0, "reserved")
        }
    }

    @Test func onlyBreakpointAndOverflowCanBeRaisedBySoftware() {
        for vector in 0..<256 {
            let low = IDT.gate(vector: vector, handler: 0x6000, stack: 0).low
            #expect(low >> 45 & 3 == (vector == 3 || vector == 4 ? 3 : 0))
        }
        #expect(IDT.limit == 256 * 16 - 1)
    }
}

@Suite struct TSSTests {
    /// The segment as it lies in memory, with what follows.
    private var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(AddressMap.stubs - AddressMap.tss))
        let words = TSS.words(reportStack: 0x1122_3344_5566_7788)
        for index in words.indices {
            for byte in 0..<8 {
                bytes[Int(words[index].offset) + byte] = UInt8(
                    truncatingIfNeeded: words[index].value >> UInt64(8 * byte))
            }
        }
        return bytes
    }

    @Test func firstInterruptStackIsTheReportStack() {
        let stack = bytes[36..<44].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        #expect(stack == 0x1122_3344_5566_7788)
        #expect(bytes[4..<36].allSatisfy { $0 == 0 }, "no stack for rings 0 to 2: nothing ever runs there")
    }

    @Test func everyPortIsAllowed() {
        let base = Int(bytes[102]) | Int(bytes[103]) << 8
        #expect(base == 104)
        #expect(bytes[base..<base + 8192].allSatisfy { $0 == 0 })
        #expect(bytes[base + 8192] == 0xff, "the byte of ones that must follow the bitmap")
        #expect(Int(TSS.limit) == base + 8192)
    }
}

@Suite struct StubTests {
    @Test func stubIsAnOutOfItsVectorAndAJumpBack() {
        for vector in 0..<256 {
            let code = Stub.code(vector: vector)
            #expect(code & 0xff == 0xe7, "OUT imm8, EAX")
            #expect(code >> 8 & 0xff == UInt64(vector))
            #expect(code >> 16 & 0xff == 0xeb, "JMP rel8")
            #expect(4 + Int(Int8(bitPattern: UInt8(code >> 24 & 0xff))) == 0, "to the stub's start")
        }
    }

    @Test func stubsFillTheirPage() {
        #expect(Stub.address(vector: 0) == AddressMap.stubs)
        #expect(Stub.address(vector: 255) + Stub.size == AddressMap.machine.upperBound)
        for vector in 0..<256 { #expect(Stub.contains(Stub.address(vector: vector))) }
    }

    @Test(arguments: [0, 0x5fff, 0x7000, 0x1_0000_6000, .max] as [UInt64])
    func otherAddressesAreNoStub(address: UInt64) { #expect(!Stub.contains(address)) }
}
