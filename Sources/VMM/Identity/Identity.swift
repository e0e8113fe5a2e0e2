// `--identity`: whose hypervisor a kernel finds itself on, and which CPUID leaves tell it so.
//
// Hypervisors of all vendors answer at leaf 0x40000000: EAX the highest leaf of theirs, EBX, ECX and EDX their name (VMware's
// proposal, lkml 2008-10-01; Hyper-V TLFS, 2.2). Two at once would be guessed at differently by each kernel, so there is one.
// docs/identities.md has what each answers. Read next: VendorServices.swift.

import Host
import KVM

/// The value of `--identity`.
public enum Identity: String, CaseIterable, Sendable {
    /// CPUID says that there is no hypervisor.
    case none
    /// The default: KVM's own leaves, and the clocks' rates.
    case kvm
    /// VMware's leaves and backdoor.
    case vmware
    /// Microsoft's, which began as Viridian: leaves, MSRs, hypercall page.
    case hyperv
    /// Xen's leaves and hypercalls, as a domain of kind HVM or PVH has them.
    case xen

    public static let usage = "none, kvm, vmware, hyperv or xen"

    /// CPUID's leaves, with the vendor's in the place of KVM's. `frequency`: of the TSC, in Hz.
    func leaves(_ supported: [CPUIDLeaf], frequency: UInt64, cpus: Int = 1) -> [CPUIDLeaf] {
        let others = supported.filter { !Self.range.contains($0.leaf) }
        let kilohertz = UInt32(clamping: frequency / 1000)
        switch self {
        case .none: return others
        case .kvm: return Self.withTiming(supported, kilohertz: kilohertz)
        case .vmware: return others + VMwareBackdoor.leaves(kilohertz: kilohertz)
        case .hyperv: return others + HyperV.leaves(cpus: cpus)
        case .xen: return others + Xen.leaves(kilohertz: kilohertz)
        }
    }

    /// KVM's LAPIC timer counts nanoseconds (KVM_CAP_X86_APIC_BUS_CYCLES_NS).
    static let busFrequency: UInt32 = 1_000_000_000
    static let firstLeaf: UInt32 = 0x4000_0000
    private static let range: ClosedRange<UInt32> = 0x4000_0000...0x4000_ffff
    static let timingLeaf: UInt32 = 0x4000_0010

    /// KVM's own leaves, and the one of the clocks' rates, which other hypervisors have too and kernels look for by any name.
    static func withTiming(_ leaves: [CPUIDLeaf], kilohertz: UInt32) -> [CPUIDLeaf] {
        guard kilohertz > 0, let first = leaves.firstIndex(where: { $0.leaf == firstLeaf }) else { return leaves }
        var leaves = leaves
        leaves[first].eax = max(leaves[first].eax, timingLeaf)
        leaves.append(timing(kilohertz: kilohertz))
        return leaves
    }

    /// EAX the TSC's kHz, EBX the APIC timer's (FreeBSD, sys/x86/x86/tsc.c; NetBSD, identcpu_subr.c).
    static func timing(kilohertz: UInt32) -> CPUIDLeaf {
        CPUIDLeaf(leaf: timingLeaf, subleaf: nil, eax: kilohertz, ebx: busFrequency / 1000, ecx: 0, edx: 0)
    }

    /// The first leaf: a name of 12 letters.
    static func signature(_ name: String, highest: UInt32) -> CPUIDLeaf {
        let letters = Array(name.utf8)
        func word(_ index: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(letters[4 * index + $1]) << UInt32(8 * $1) }
        }
        return CPUIDLeaf(
            leaf: firstLeaf, subleaf: nil, eax: highest, ebx: word(0), ecx: word(1), edx: word(2))
    }
}

/// What a vendor's services know of the machine.
struct MachineFacts: Sendable {
    /// Of the TSC, in Hz.
    var frequency: UInt64 { clock.frequency }
    var clock: MachineClock
    var cpus: Int
    /// Bytes.
    var memorySize: UInt64
    /// Version 4 of RFC 9562, as 16 bytes.
    var uuid: [UInt8]

    init(_ configuration: borrowing Configuration, _ clock: MachineClock) throws(MachineError) {
        let random = try fromHost(try randomSeed())
        self.init(
            clock, cpus: configuration.cpus, memorySize: configuration.memorySize, random: (random.0, random.1))
    }

    init(_ clock: MachineClock, cpus: Int = 1, memorySize: UInt64, random: (UInt64, UInt64)) {
        (self.clock, self.cpus, self.memorySize) = (clock, cpus, memorySize)
        uuid = [random.0, random.1].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        uuid[6] = uuid[6] & 0xf | 0x40
        uuid[8] = uuid[8] & 0x3f | 0x80
    }

    /// 32 bits of the UUID, as they lie in memory.
    func uuidWord(_ index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(uuid[4 * index + $1]) << UInt32(8 * $1) }
    }
}
