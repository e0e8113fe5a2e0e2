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

package struct GuestCPU {
    package let cpuid: CPUID
    package let features: swiftlet_cpu_features
    /// 0 when the host has no XSAVE.
    let xcr0: UInt64
    let cr4: UInt64

    package init() {
        let zero = Processor.cpuid(0)
        let one = Processor.cpuid(1)
        // A leaf above the highest answers with another leaf's data on Intel's CPUs.
        let seven = zero.eax >= 7 ? Processor.cpuid(7) : (eax: 0, ebx: 0, ecx: 0, edx: 0)
        let extended = Processor.cpuid(0x8000_0001)
        // The host's kernel must have enabled XSAVE and FSGSBASE, or KVM has no such state to give.
        let hasXSAVE = one.ecx & Self.osxsave != 0 && zero.eax >= 0xd
        let hasFSGSBASE = Processor.kernelEnablesFSGSBASE()
        xcr0 = hasXSAVE ? XCR0.guest(host: Processor.xcr0(leaf1ECX: one.ecx)) : 0
        var words = swiftlet_cpu_features()
        words.leaf1_ecx = FeatureMask.leaf1ECX.apply(one.ecx, xcr0: xcr0) | Self.hypervisor
        if !hasXSAVE { words.leaf1_ecx &= ~(Self.xsave | Self.osxsave) }
        words.leaf1_edx = FeatureMask.leaf1EDX.apply(one.edx, xcr0: xcr0)
        words.leaf7_ebx = FeatureMask.leaf7EBX.apply(seven.ebx, xcr0: xcr0)
        if !hasFSGSBASE { words.leaf7_ebx &= ~1 }
        words.leaf7_ecx = FeatureMask.leaf7ECX.apply(seven.ecx, xcr0: xcr0)
        words.leaf7_edx = FeatureMask.leaf7EDX.apply(seven.edx, xcr0: xcr0)
        words.leaf80000001_ecx = FeatureMask.leaf80000001ECX.apply(extended.ecx, xcr0: xcr0)
        words.leaf80000001_edx = FeatureMask.leaf80000001EDX.apply(extended.edx, xcr0: xcr0)
        words.xcr0 = xcr0
        features = words
        cpuid = Self.table(words, zero: zero, one: one, xcr0)
        cr4 = CR4.ring3 | (hasXSAVE ? CR4.xsave : 0) | (words.leaf7_ebx & 1 != 0 ? CR4.fsgsbase : 0)
    }

    private static let xsave: UInt32 = 1 << 26
    private static let osxsave: UInt32 = 1 << 27
    private static let hypervisor: UInt32 = 1 << 31

    private typealias Leaf = (eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32)

    private static func table(
        _ words: swiftlet_cpu_features, zero: Leaf, one: Leaf, _ xcr0: UInt64
    ) -> CPUID {
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
