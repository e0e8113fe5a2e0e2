// Which CPU features a ring-3 guest may be told of: an allow-list for each CPUID word, bit by bit.
//
// An allow-list and not a deny-list: the next CPU's features need state or registers that this machine does not enable
// (protection keys, shadow stacks, AMX, user interrupts), and a guest that believed in them would fault.
// Bits: Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E. Read next: VMM/GuestCPU.swift.

/// Feature words: the bits that are always allowed, and those that need AVX or AVX-512 state.
public struct FeatureMask: Sendable {
    public let basic: UInt32
    public let avx: UInt32
    public let avx512: UInt32

    /// What a guest with this XCR0 may be told of a host's word.
    public func apply(_ word: UInt32, xcr0: UInt64) -> UInt32 {
        var mask = basic
        if xcr0 & XCR0.avx != 0 { mask |= avx }
        if xcr0 & XCR0.avx512 == XCR0.avx512 { mask |= avx512 }
        return word & mask
    }

    /// SSE3, PCLMULQDQ, SSSE3, CX16, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, XSAVE, OSXSAVE, RDRAND, hypervisor; FMA, AVX, F16C.
    public static let leaf1ECX = FeatureMask(
        basic: 0xced82203, avx: 0x30001000, avx512: 0)

    /// FPU, PSE, TSC, MSR, PAE, CX8, APIC, PGE, CMOV, PAT, PSE-36, CLFLUSH, MMX, FXSR, SSE, SSE2.
    public static let leaf1EDX = FeatureMask(
        basic: 0x078ba379, avx: 0, avx512: 0)

    /// FSGSBASE, BMI1, BMI2, ERMS, RDSEED, ADX, CLFLUSHOPT, CLWB, SHA; AVX2; AVX-512 F, DQ, IFMA, CD, BW, VL.
    public static let leaf7EBX = FeatureMask(
        basic: 0x218c0309, avx: 0x00000020, avx512: 0xd0230000)

    /// GFNI, MOVDIRI, MOVDIR64B; VAES, VPCLMULQDQ; AVX-512 VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ.
    public static let leaf7ECX = FeatureMask(
        basic: 0x18000100, avx: 0x00000600, avx512: 0x00005842)

    /// FSRM, SERIALIZE; AVX-512 VP2INTERSECT, FP16.
    public static let leaf7EDX = FeatureMask(basic: 0x00004010, avx: 0, avx512: 0x00800100)

    /// LAHF, LZCNT, SSE4A, misaligned SSE, PREFETCHW.
    public static let leaf80000001ECX = FeatureMask(basic: 0x000001e1, avx: 0, avx512: 0)

    /// NX, MMX extensions, RDTSCP, long mode.
    public static let leaf80000001EDX = FeatureMask(basic: 0x28500000, avx: 0, avx512: 0)
}
