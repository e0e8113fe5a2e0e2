// Can this host's CPU run the guest of a snapshot? It must have every feature that the guest was told of.
//
// A guest asks once, at its start, and believes the answer for ever. Names: Intel SDM vol. 2A, CPUID; AMD APM vol. 3,
// appendix E. Read next: Restoring.swift.

import CABI
import CSnapshot
import Host
import VMM
import X86

extension Snapshot {
    /// Throws what the host lacks, by name.
    func checkHost(_ host: swiftlet_cpu_features) throws(SnapshotError) {
        if isShortOf(host) { throw .lacksFeatures(path, missingNames(host)) }
        // x87, SSE and AVX state lies alike everywhere; what AVX-512 adds does not (CPUID leaf 0xd).
        if machine.xcr0 & XCR0.avx512 == 0 { return }
        let maker = processorMaker()
        if maker != machine.maker {
            throw .otherMaker(path, theirs: makerText(machine.maker), ours: makerText(maker))
        }
    }

    private func isShortOf(_ host: swiftlet_cpu_features) -> Bool {
        let words = machine.features
        let lacking =
            words.0 & ~host.leaf1_ecx | words.1 & ~host.leaf1_edx | words.2 & ~host.leaf7_ebx | words.3 & ~host
            .leaf7_ecx
            | words.4 & ~host.leaf7_edx | words.5 & ~host.leaf80000001_ecx | words.6 & ~host.leaf80000001_edx
        return lacking != 0 || machine.xcr0 & ~host.xcr0 != 0
    }

    private func missingNames(_ host: swiftlet_cpu_features) -> [String] {
        let theirs = featureWords(features)
        let ours = featureWords(host)
        var missing: [String] = []
        for (index, word) in theirs.enumerated() {
            let bits = word & ~ours[index]
            missing += (0..<32).filter { bits >> UInt32($0) & 1 != 0 }.map { featureName(word: index, bit: $0) }
        }
        let states = machine.xcr0 & ~host.xcr0
        if states != 0 { missing.append("XCR0 bits 0x\(String(states, radix: 16))") }
        return missing
    }
}

/// The words in the order of the file.
func featureWords(_ features: swiftlet_cpu_features) -> [UInt32] {
    [
        features.leaf1_ecx, features.leaf1_edx, features.leaf7_ebx, features.leaf7_ecx, features.leaf7_edx,
        features.leaf80000001_ecx, features.leaf80000001_edx,
    ]
}

/// EBX, EDX, ECX of leaf 0, and 0.
func processorMaker() -> (UInt32, UInt32, UInt32, UInt32) {
    let leaf = Processor.cpuid(0)
    return (leaf.ebx, leaf.edx, leaf.ecx, 0)
}

/// "GenuineIntel"
func makerText(_ maker: (UInt32, UInt32, UInt32, UInt32)) -> String {
    let bytes = [maker.0, maker.1, maker.2].flatMap { word in
        (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
    }
    return printable(String(decoding: bytes, as: UTF8.self))
}

/// The allow-lists' bits (X86/CPUFeatures.swift) by name; any other by its place.
private func featureName(word: Int, bit: Int) -> String {
    let names: [[Int: String]] = [
        [
            0: "SSE3", 1: "PCLMULQDQ", 9: "SSSE3", 12: "FMA", 13: "CMPXCHG16B", 19: "SSE4.1", 20: "SSE4.2", 22: "MOVBE",
            23: "POPCNT", 25: "AES", 26: "XSAVE", 27: "OSXSAVE", 28: "AVX", 29: "F16C", 30: "RDRAND", 31: "hypervisor",
        ],
        [19: "CLFLUSH", 23: "MMX", 24: "FXSR", 25: "SSE", 26: "SSE2"],
        [
            0: "FSGSBASE", 3: "BMI1", 5: "AVX2", 8: "BMI2", 9: "ERMS", 16: "AVX512F", 17: "AVX512DQ", 18: "RDSEED",
            19: "ADX", 21: "AVX512_IFMA", 23: "CLFLUSHOPT", 24: "CLWB", 28: "AVX512CD", 29: "SHA", 30: "AVX512BW",
            31: "AVX512VL",
        ],
        [
            1: "AVX512_VBMI", 6: "AVX512_VBMI2", 8: "GFNI", 9: "VAES", 10: "VPCLMULQDQ", 11: "AVX512_VNNI",
            12: "AVX512_BITALG", 14: "AVX512_VPOPCNTDQ", 27: "MOVDIRI", 28: "MOVDIR64B",
        ],
        [4: "FSRM", 8: "AVX512_VP2INTERSECT", 14: "SERIALIZE", 23: "AVX512_FP16"],
        [0: "LAHF", 5: "LZCNT", 6: "SSE4A", 7: "MISALIGNSSE", 8: "PREFETCHW"],
        [20: "NX", 22: "MMXEXT", 27: "RDTSCP", 29: "LM"],
    ]
    return names[word][bit] ?? "CPUID word \(word) bit \(bit)"
}
