// `--cpu`: a template's text, what it makes of CPUID's leaves, and what each CPU of several is told.
//
// Read next: Sources/VMM/Devices/CPUTemplate.swift.

import Boot
import KVM
import Testing

@testable import VMM

private func leaf(
    _ leaf: UInt32, _ subleaf: UInt32? = nil, _ eax: UInt32 = 0, _ ebx: UInt32 = 0, _ ecx: UInt32 = 0, _ edx: UInt32 = 0
) -> CPUIDLeaf { CPUIDLeaf(leaf: leaf, subleaf: subleaf, eax: eax, ebx: ebx, ecx: ecx, edx: edx) }

@Suite struct CPUTemplateTests {
    private func edited(_ text: String, _ leaves: [CPUIDLeaf], emulates: Bool = false) throws -> [CPUIDLeaf] {
        try CPUEdits(text: text).apply(to: leaves, emulates: emulates)
    }

    private func error(_ text: String) -> String? {
        do throws(BootError) {
            _ = try CPUEdits(text: text)
            return nil
        } catch { return error.message }
    }

    @Test func aLineKeepsBitsAndSetsBits() throws {
        let leaves = try edited("1 ecx = 0xf0/0x3\n0x1 edx = ~0x10  # all but one", [leaf(1, nil, 9, 8, 0xff, 0xff)])
        #expect(leaves == [leaf(1, nil, 9, 8, 0xf3, 0xef)])
    }

    @Test func aSubleafIsOneAndNoSubleafIsAll() throws {
        let both = [leaf(7, 0, 1, 1), leaf(7, 1, 1, 1)]
        #expect(try edited("7.1 eax = 0", both) == [leaf(7, 0, 1, 1), leaf(7, 1, 0, 1)])
        #expect(try edited("7 eax = 0", both) == [leaf(7, 0, 0, 1), leaf(7, 1, 0, 1)])
    }

    @Test func aLeafIsMadeWhereBitsAreToBeSet() throws {
        #expect(try edited("0x40000100 ebx = 0/5", []) == [leaf(0x4000_0100, nil, 0, 5)])
        #expect(try edited("0x40000100 ebx = 5", []) == [])
    }

    @Test func featuresAreSwitchedOffByName() throws {
        let all = UInt32.max
        let leaves = [
            leaf(1, nil, 0, 0, all, all), leaf(7, 0, 0, all, all, all), leaf(0x8000_0001, nil, 0, 0, all, all),
        ]
        let text = "avx off\nsse2 off\nsmap off\nrdpid off\nrdtscp off\nlahf_lm off\n"
        let after = try edited(text, leaves)
        #expect((after[0].ecx, after[0].edx) == (~(1 << 28), ~(1 << 26)))
        #expect((after[1].ebx, after[1].ecx, after[1].edx) == (~(1 << 20), ~(1 << 22), all))
        #expect((after[2].ecx, after[2].edx) == (~1, ~(1 << 27)))
    }

    /// By the manuals' numbers, one of each word.
    @Test(
        arguments: [
            ("hypervisor", 1, CPUIDRegister.ecx, 31), ("pbe", 1, .edx, 31), ("avx512vl", 7, .ebx, 31),
            ("pks", 7, .ecx, 31),
            ("ssbd", 7, .edx, 31), ("xsaves", 0xd, .eax, 3), ("mwaitx", 0x8000_0001, .ecx, 29),
            ("3dnow", 0x8000_0001, .edx, 31),
            ("constant_tsc", 0x8000_0007, .edx, 8), ("wbnoinvd", 0x8000_0008, .ebx, 9),
            ("kvmclock_stable", 0x4000_0001, .eax, 24),
            ("cx16", 1, .ecx, 13), ("popcnt", 1, .ecx, 23), ("invpcid", 7, .ebx, 10), ("sha_ni", 7, .ebx, 29),
            ("la57", 7, .ecx, 16),
            ("tbm", 0x8000_0001, .ecx, 21), ("lm", 0x8000_0001, .edx, 29), ("serialize", 7, .edx, 14),
        ] as [(String, UInt32, CPUIDRegister, UInt32)])
    func namesAreWhereTheManualsHaveThem(name: String, leaf: UInt32, register: CPUIDRegister, bit: UInt32) throws {
        let feature = try #require(CPUFeature(name))
        #expect((feature.leaf, feature.register, feature.bit) == (leaf, register, bit))
    }

    @Test func whatIsNotEmulatedHasNames() {
        for name in CPUFeature.notEmulated { #expect(CPUFeature(name) != nil, "\(name)") }
    }

    @Test func maxLeavesOutWhatCannotBeExecuted() throws {
        let leaves = [leaf(1, nil, 0, 0, .max, .max), leaf(7, 0, 0, .max)]
        #expect(try edited("", leaves) == leaves)
        let emulated = try edited("max", leaves, emulates: true)
        #expect(emulated[0].ecx & (1 << 28 | 1 << 23 | 1 << 13 | 1 << 26) == 0)
        #expect(emulated[0].ecx & 1 << 31 != 0 && emulated[0].edx == .max)
        #expect(emulated[1].ebx & (1 << 5 | 1 << 20) == 0)
    }

    @Test func minIsWhatEveryCPUHas() throws {
        let leaves = [
            leaf(0, nil, 0x20), leaf(1, nil, 5, 5, .max, .max), leaf(7, 0, 1, .max), leaf(0xd, 0, .max),
            leaf(0x8000_0000, nil, 0x8000_0021), leaf(0x8000_0001, nil, 0, 0, .max, .max), leaf(0x4000_0010, nil, 7),
        ]
        let after = try edited("min\ntsc_deadline_timer off", leaves)
        #expect(after.map(\.leaf) == [0, 1, 0x8000_0000, 0x8000_0001, 0x4000_0010])
        #expect((after[0].eax, after[2].eax) == (0x1f, 0x8000_0008))
        #expect((after[1].ecx, after[1].edx) == (0x8020_0000, 0x178b_fbff))
        #expect((after[3].ecx, after[3].edx) == (0, 0x2010_0800))
    }

    @Test(arguments: [
        ("# nothing\n\nfoo off", "line 3: 'foo' is no feature"), ("- off", "line 1: '-' is no feature"),
        ("1 ecx = 0x1ffffffff", "line 1: '0x1ffffffff': AND[/OR] are numbers"), ("1 ecx = 1/", "AND[/OR] are numbers"),
        ("1 ecx = +1", "AND[/OR] are numbers"), ("1 ecx = 1/2/3", "AND[/OR] are numbers"),
        ("x ecx = 1", "'x' is no leaf"),
        ("1. ecx = 1", "'' is no subleaf"), ("1 rax = 1", "'rax' is no register"),
        ("1 ecx 1", "LEAF[.SUBLEAF] REGISTER"),
        ("avx on", "NAME off"), ("min", nil), ("avx off\nmin", "line 2: 'min' is what all changes start from"),
        ("\u{0}", "line 1"), ("1 ecx = ~~1", nil),
    ])
    func aMistakeHasALine(text: String, message: String?) {
        let found = error(text)
        guard let message else { return #expect(found == nil) }
        #expect(found?.contains(message) == true, "\(found ?? "no error")")
    }

    /// KVM's table has neither bit, so they are set before the template is applied: it may take them away.
    @Test func aTemplateCanHideTheHypervisor() throws {
        let leaves = KernelCPUID.withHypervisor([leaf(1), leaf(7, 0)], .kvm, hasInterrupts: true)
        #expect(leaves == [leaf(1, nil, 0, 0, 1 << 31 | 1 << 24), leaf(7, 0)])
        #expect(KernelCPUID.withHypervisor([leaf(1)], .kvm, hasInterrupts: false)[0].ecx == 1 << 31)
        #expect(try edited("hypervisor off\ntsc_deadline_timer off", leaves)[0] == leaf(1))
    }

    @Test func theClocksRatesAreInALeaf() {
        let leaves = Identity.withTiming([leaf(0x4000_0000, nil, 0x4000_0001, 1, 2, 3)], kilohertz: 2_500_000)
        #expect(leaves[0] == leaf(0x4000_0000, nil, 0x4000_0010, 1, 2, 3))
        #expect(leaves[1] == leaf(0x4000_0010, nil, 2_500_000, 1_000_000))
        #expect(Identity.withTiming(leaves, kilohertz: 0) == leaves)
    }

    private let host = [
        leaf(0, nil, 0x1f), leaf(1, nil, 0, 0x0b10_0800, 0, 0), leaf(4, 0, 0xfc00_4121), leaf(4, 1, 0),
        leaf(0xb, 0, 9, 9, 9, 9), leaf(0x1f, 0, 9, 9, 9, 9), leaf(0x8000_0008, nil, 0x3030, 0, 0x7007),
        leaf(0x8000_001e, nil, 11, 11, 11),
    ]

    @Test func aMachineOfOneHasOneCPU() throws {
        let table = KernelCPUID(host, cpus: 1).table(cpu: 0).leaves
        func find(_ number: UInt32, _ subleaf: UInt32? = nil) -> CPUIDLeaf? {
            table.first { $0.leaf == number && $0.subleaf == subleaf }
        }
        #expect(find(1) == leaf(1, nil, 0, 0x1_0800, 0, 0))
        #expect(find(4, 0)?.eax == 0x121)
        #expect(find(0xb, 0) == leaf(0xb, 0, 0, 1, 0x100, 0))
        #expect(find(0xb, 1) == leaf(0xb, 1, 0, 1, 0x201, 0))
        #expect(find(0x8000_0008) == leaf(0x8000_0008, nil, 0x3030, 0, 0))
        #expect(find(0x8000_001e) == leaf(0x8000_001e))
    }

    @Test func eachOfSeveralHasItsNumber() throws {
        let cpuid = KernelCPUID(host, cpus: 3)
        for cpu: UInt32 in 0..<3 {
            let table = cpuid.table(cpu: Int(cpu)).leaves
            func find(_ number: UInt32, _ subleaf: UInt32? = nil) -> CPUIDLeaf? {
                table.first { $0.leaf == number && $0.subleaf == subleaf }
            }
            #expect(find(1) == leaf(1, nil, 0, cpu << 24 | 0x4_0800, 0, 1 << 28))
            #expect(find(4, 0)?.eax == 0x0c00_0121)
            #expect(find(4, 1)?.eax == 0)
            for number: UInt32 in [0xb, 0x1f] {
                #expect(find(number, 0) == leaf(number, 0, 0, 1, 0x100, cpu))
                #expect(find(number, 1) == leaf(number, 1, 2, 3, 0x201, cpu))
                #expect(find(number, 2) == leaf(number, 2, 0, 0, 2, cpu))
            }
            #expect(find(0x8000_0008)?.ecx == 0x2002)
            #expect(find(0x8000_001e) == leaf(0x8000_001e, nil, cpu, cpu, 0))
        }
    }
}
