// The CPU that a ring-3 guest sees: CPUID for KVM's sake, feature words for the guest's, and the initial registers.
//
// The guest learns its features from boot info, because CPUID at ring 3 cannot be masked on every KVM. KVM still needs a
// table: it allows CR4.OSXSAVE and XCR0 bits only if CPUID has them. It is made from the host's own CPUID, at 3.5 us for
// each instruction where the host is itself a VM; KVM_GET_SUPPORTED_CPUID takes a third of a millisecond.
// Read next: Machine.swift.

import CABI
import Host
import KVM
import X86

struct GuestCPU {
    let cpuid: CPUID
    let features: swiftlet_cpu_features
    /// 0 when the host has no XSAVE.
    let xcr0: UInt64
    let cr4: UInt64

    init() {
        let one = Processor.cpuid(1)
        let seven = Processor.cpuid(7)
        let extended = Processor.cpuid(0x8000_0001)
        let hasXSAVE = one.ecx & Self.xsave != 0
        xcr0 = hasXSAVE ? XCR0.guest(host: Processor.xcr0(leaf1ECX: one.ecx)) : 0
        var words = swiftlet_cpu_features()
        words.leaf1_ecx = one.ecx & ~Self.hidden1ECX | Self.hypervisor
        words.leaf1_edx = one.edx
        words.leaf7_ebx = seven.ebx
        words.leaf7_ecx = seven.ecx
        words.leaf7_edx = seven.edx & ~Self.amx
        words.leaf80000001_ecx = extended.ecx & ~Self.svm
        words.leaf80000001_edx = extended.edx
        words.xcr0 = xcr0
        Self.hideVectors(&words, xcr0)
        features = words
        cpuid = Self.table(words, one: one, xcr0)
        cr4 = CR4.ring3 | (hasXSAVE ? CR4.xsave : 0) | (seven.ebx & 1 != 0 ? CR4.fsgsbase : 0)
    }

    private static let xsave: UInt32 = 1 << 26
    private static let hypervisor: UInt32 = 1 << 31
    /// MONITOR, VMX, SMX, x2APIC, TSC deadline: privileged or not there.
    private static let hidden1ECX: UInt32 = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 21 | 1 << 24
    private static let svm: UInt32 = 1 << 2
    private static let amx: UInt32 = 1 << 22 | 1 << 24 | 1 << 25

    /// Takes away instruction sets whose registers XCR0 does not enable (Intel SDM vol. 2A, CPUID).
    private static func hideVectors(_ words: inout swiftlet_cpu_features, _ xcr0: UInt64) {
        if xcr0 & XCR0.avx512 == 0 {
            words.leaf7_ebx &= ~(1 << 16 | 1 << 17 | 1 << 21 | 1 << 26 | 1 << 27 | 1 << 28 | 1 << 30 | 1 << 31)
            words.leaf7_ecx &= ~(1 << 1 | 1 << 6 | 1 << 11 | 1 << 12 | 1 << 14)
            words.leaf7_edx &= ~(1 << 2 | 1 << 3 | 1 << 8 | 1 << 23)
        }
        if xcr0 & XCR0.avx == 0 {
            words.leaf1_ecx &= ~(1 << 12 | 1 << 28 | 1 << 29)  // FMA, AVX, F16C
            words.leaf7_ebx &= ~(1 << 5)  // AVX2
            words.leaf7_ecx &= ~(1 << 9 | 1 << 10)  // VAES, VPCLMULQDQ
        }
    }

    private static func table(
        _ words: swiftlet_cpu_features, one: (eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32), _ xcr0: UInt64
    ) -> CPUID {
        let zero = Processor.cpuid(0)
        let addressSizes = Processor.cpuid(0x8000_0008)
        var table = CPUID()
        func add(_ leaf: UInt32, _ subleaf: UInt32?, _ eax: UInt32, _ ebx: UInt32, _ ecx: UInt32, _ edx: UInt32) {
            table.append(CPUIDLeaf(leaf: leaf, subleaf: subleaf, eax: eax, ebx: ebx, ecx: ecx, edx: edx))
        }
        add(0, nil, min(zero.eax, 0xd), zero.ebx, zero.ecx, zero.edx)
        add(1, nil, one.eax, one.ebx, words.leaf1_ecx, words.leaf1_edx)
        add(7, 0, 0, words.leaf7_ebx, words.leaf7_ecx, words.leaf7_edx)
        add(0x8000_0000, nil, 0x8000_0008, 0, 0, 0)
        add(0x8000_0001, nil, 0, 0, words.leaf80000001_ecx, words.leaf80000001_edx)
        add(0x8000_0008, nil, addressSizes.eax, addressSizes.ebx, 0, 0)
        // Which state XCR0 may enable. KVM asks no more of leaf 0xd, and each further subleaf would be one more CPUID.
        if xcr0 != 0 {
            let state = Processor.cpuid(0xd)
            add(0xd, 0, UInt32(truncatingIfNeeded: xcr0), state.ebx, state.ecx, 0)
        }
        return table
    }
}
