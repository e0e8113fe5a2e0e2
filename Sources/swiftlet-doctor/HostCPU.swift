// The CPU, by its own CPUID: who made it, what it can do, and whether it is itself a virtual one.
//
// Leaves: Intel SDM vol. 2A and AMD APM vol. 3, "CPUID"; 0x40000000 is the convention of hypervisors (Linux,
// Documentation/virt/kvm/x86/cpuid.rst). Read next: Virtualization.swift.

import Host
import Measure

struct HostCPU: Encodable, Equatable, Sendable {
    typealias Leaf = (eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32)

    /// "GenuineIntel", "AuthenticAMD", ...
    var vendor: String
    var model: String
    var family: Int
    var modelNumber: Int
    var stepping: Int
    /// Of the instruction sets that guests are often built for.
    var vectors: [String]
    /// Intel's virtualization, as far as this machine shows it.
    var vmx: Bool
    /// AMD's.
    var svm: Bool
    /// The TSC runs at one rate in all power states.
    var invariantTSC: Bool
    /// Whether this machine is a virtual one.
    var isVirtual: Bool
    /// The signature of the hypervisor above us, such as "KVMKVMKVM"; empty when it does not say.
    var hypervisor: String

    /// Executes CPUID.
    init() { self.init { Processor.cpuid($0, $1) } }

    init(cpuid: (UInt32, UInt32) -> Leaf) {
        let zero = cpuid(0, 0)
        let one = cpuid(1, 0)
        let seven = zero.eax >= 7 ? cpuid(7, 0) : (0, 0, 0, 0)
        let extended = cpuid(0x8000_0000, 0).eax
        vendor = cpuidText([zero.ebx, zero.edx, zero.ecx])
        model = extended >= 0x8000_0004 ? Self.brand(cpuid) : ""
        let baseFamily = one.eax >> 8 & 0xf
        family = Int(baseFamily == 15 ? 15 + (one.eax >> 20 & 0xff) : baseFamily)
        let extendedModel = baseFamily == 15 || baseFamily == 6 ? one.eax >> 16 & 0xf : 0
        modelNumber = Int(extendedModel << 4 | one.eax >> 4 & 0xf)
        stepping = Int(one.eax & 0xf)
        vectors = Self.vectors(one, seven)
        vmx = one.ecx & 1 << 5 != 0
        svm = extended >= 0x8000_0001 && cpuid(0x8000_0001, 0).ecx & 1 << 2 != 0
        invariantTSC = extended >= 0x8000_0007 && cpuid(0x8000_0007, 0).edx & 1 << 8 != 0
        isVirtual = one.ecx & 1 << 31 != 0
        let signature = cpuid(0x4000_0000, 0)
        hypervisor = isVirtual ? cpuidText([signature.ebx, signature.ecx, signature.edx]) : ""
    }

    private static func brand(_ cpuid: (UInt32, UInt32) -> Leaf) -> String {
        let words = (0x8000_0002...0x8000_0004 as ClosedRange<UInt32>).flatMap { leaf in
            let part = cpuid(leaf, 0)
            return [part.eax, part.ebx, part.ecx, part.edx]
        }
        return cpuidText(words).split(separator: " ").joined(separator: " ")
    }

    private static func vectors(_ one: Leaf, _ seven: Leaf) -> [String] {
        var list = ["SSE2"]
        if one.ecx & 1 << 20 != 0 { list.append("SSE4.2") }
        if one.ecx & 1 << 28 != 0 { list.append("AVX") }
        if seven.ebx & 1 << 5 != 0 { list.append("AVX2") }
        if seven.ebx & 1 << 16 != 0 { list.append("AVX-512F") }
        return list
    }

    /// The hypervisor's common name.
    var hypervisorName: String { Measure.hypervisorName(signature: hypervisor) }
}
