// Which part of the instruction set an instruction belongs to, how a compiler is told to leave that part out, and by which
// bit of CPUID a kernel finds it.
//
// For kernels on a KVM that emulates ring 0 and does not know all of it. Names of bits are Linux's (cpufeatures.h, which
// `clearcpuid=` and `--cpu` take), options are GCC's and Clang's. Read next: ../VMM/Devices/EmulationAdvice.swift.

/// A part of the instruction set.
public struct InstructionSet: Equatable, Sendable {
    /// "SSE2"
    public let name: String
    /// For GCC and Clang; nil when no option leaves it out.
    public let option: String?
    /// Of CPUID; nil when there is none to mask, or every x86-64 kernel takes it for granted.
    public let bit: String?

    /// Nil for what every CPU has.
    public init?(_ instruction: DisassembledInstruction) {
        let known = Self.names[instruction.name] ?? instruction.groups.lazy.compactMap { Self.groups[$0] }.first
        guard let known = known ?? Self.families(instruction.name) else { return nil }
        self = known
    }

    private init(_ name: String, _ option: String?, bit: String? = nil) {
        (self.name, self.option, self.bit) = (name, option, bit)
    }

    private static let general = "-mgeneral-regs-only"
    private static let save = InstructionSet("XSAVE", nil, bit: "xsave")
    private static let fpu = InstructionSet("x87", general)
    private static let sse = InstructionSet("SSE", general)
    private static let access = InstructionSet("SMAP", nil, bit: "smap")

    /// Those that Capstone puts into no group, or into one that does not say it.
    private static let names: [String: InstructionSet] = [
        "popcnt": .init("POPCNT", "-mno-popcnt", bit: "popcnt"),
        "crc32": .init("CRC32 (SSE4.2)", "-mno-crc32 -mno-sse4.2", bit: "sse4_2"),
        "cmpxchg16b": .init("CMPXCHG16B", "-mno-cx16", bit: "cx16"),
        "movbe": .init("MOVBE", "-mno-movbe", bit: "movbe"),
        "rdtscp": .init("RDTSCP", nil, bit: "rdtscp"), "rdpid": .init("RDPID", "-mno-rdpid", bit: "rdpid"),
        "invpcid": .init("INVPCID", nil, bit: "invpcid"), "clwb": .init("CLWB", "-mno-clwb", bit: "clwb"),
        "clzero": .init("CLZERO", "-mno-clzero", bit: "clzero"), "stac": access, "clac": access,
        "monitor": .init("MONITOR", nil, bit: "monitor"), "mwait": .init("MONITOR", nil, bit: "monitor"),
        "xgetbv": save, "xsetbv": save, "emms": fpu, "ldmxcsr": sse, "stmxcsr": sse,
        "sysenter": .init("SYSENTER", nil, bit: "sep"), "syscall": .init("SYSCALL", nil),
    ]

    private static let groups: [String: InstructionSet] = [
        "fpu": fpu, "mmx": .init("MMX", general), "sse1": sse, "sse2": .init("SSE2", general),
        "sse3": .init("SSE3", general), "ssse3": .init("SSSE3", general), "sse41": .init("SSE4.1", general),
        "sse42": .init("SSE4.2", general), "avx": .init("AVX", general, bit: "avx"),
        "avx2": .init("AVX2", general, bit: "avx2"), "avx512": .init("AVX-512", general, bit: "avx512f"),
        "aes": .init("AES", general, bit: "aes"), "pclmul": .init("PCLMULQDQ", general, bit: "pclmulqdq"),
        "sha": .init("SHA", general, bit: "sha_ni"), "fma": .init("FMA", general, bit: "fma"),
        "bmi": .init("BMI1", "-mno-bmi", bit: "bmi1"), "bmi2": .init("BMI2", "-mno-bmi2", bit: "bmi2"),
        "adx": .init("ADX", "-mno-adx", bit: "adx"), "fsgsbase": .init("FSGSBASE", "-mno-fsgsbase", bit: "fsgsbase"),
    ]

    private static func families(_ name: String) -> InstructionSet? {
        name.hasPrefix("xsave") || name.hasPrefix("xrstor") ? save : nil
    }
}
