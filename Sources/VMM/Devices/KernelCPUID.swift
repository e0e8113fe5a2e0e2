// The CPUID of a kernel for the bare CPU: what KVM supports, for a machine of so many CPUs, each of one thread.
//
// KVM's own table has numbers of the host's CPU that it was asked on, and leaves it to us to say that there is a hypervisor
// (../Identity/Identity.swift: whose), and the APIC's timer by TSC deadlines (Intel SDM vol. 2A, CPUID; AMD APM vol. 3,
// appendix E; KVM API, 4.46). Read next: KernelRunLoop.swift.

import Deprivileged
import KVM

struct KernelCPUID {
    /// Of the CPU that asks, which this leaves open.
    private let leaves: [CPUIDLeaf]
    private let cpus: UInt32
    let identity: Identity

    private static let hypervisor: UInt32 = 1 << 31
    private static let deadlines: UInt32 = 1 << 24
    /// Of leaf 1's EDX: EBX tells how many logical processors there may be.
    private static let threads: UInt32 = 1 << 28

    /// `frequency`: of the TSC, in Hz.
    init(
        _ configuration: borrowing Configuration, supported: CPUID, frequency: UInt64, hasInterrupts: Bool
    ) throws(MachineError) {
        let edits = try CPUEdits(configuration.kernel.cpu)
        let identity = configuration.kernel.identity ?? .kvm
        let vendors = identity.leaves(supported.leaves, frequency: frequency, cpus: configuration.cpus)
        let leaves = Self.withHypervisor(vendors, identity, hasInterrupts: hasInterrupts)
        self.init(
            edits.apply(to: leaves, emulates: Ring.hostEmulatesRingZero), cpus: configuration.cpus, identity: identity)
        let count = entries(cpu: 0).count
        if count > CPUID.capacity, let path = configuration.kernel.cpu?.path {
            throw .image(
                path, .boot(.cpuTemplate(line: 0, "makes \(count) leaves of CPUID, at most \(CPUID.capacity) fit")))
        }
    }

    init(_ leaves: [CPUIDLeaf], cpus: Int, identity: Identity = .kvm) {
        (self.leaves, self.cpus, self.identity) = (leaves, UInt32(cpus), identity)
    }

    /// What KVM leaves to us: that there is a hypervisor, and its local APIC's timer. A template may take both away again.
    static func withHypervisor(_ leaves: [CPUIDLeaf], _ identity: Identity, hasInterrupts: Bool) -> [CPUIDLeaf] {
        var leaves = leaves
        for index in leaves.indices where leaves[index].leaf == 1 {
            leaves[index].ecx &= ~hypervisor
            leaves[index].ecx |= (identity == .none ? 0 : hypervisor) | (hasInterrupts ? deadlines : 0)
        }
        return leaves
    }

    /// Whether KVM's own leaves are not in it.
    var hidesKVM: Bool { identity != .kvm }

    /// The table of a CPU, by its number from 0, which is its APIC's ID.
    func table(cpu: Int) -> CPUID {
        var table = CPUID()
        for leaf in entries(cpu: cpu) { table.append(leaf) }
        return table
    }

    private func entries(cpu: Int) -> [CPUIDLeaf] {
        let number = UInt32(cpu)
        var list: [CPUIDLeaf] = []
        for var leaf in leaves {
            switch leaf.leaf {
            case 1: tellAPIC(&leaf, number)
            // No cache is shared; cores of the package, less one.
            case 4: leaf.eax = leaf.eax & 0x3fff | (leaf.eax & 0x1f == 0 ? 0 : (idsOfPackage - 1) << 26)
            case 0xb, 0x1f: continue  // below
            case 0x8000_0008: leaf.ecx = cpus == 1 ? 0 : cpus - 1 | idBits << 12
            case 0x8000_001e: (leaf.eax, leaf.ebx, leaf.ecx) = (number, number, 0)
            default: break
            }
            list.append(leaf)
        }
        for leaf: UInt32 in [0xb, 0x1f] where highest >= leaf { list += topology(leaf, number) }
        return list
    }

    private func tellAPIC(_ leaf: inout CPUIDLeaf, _ number: UInt32) {
        leaf.ebx = leaf.ebx & 0xffff | (cpus == 1 ? 1 : idsOfPackage) << 16 | number << 24
        if cpus > 1 { leaf.edx |= Self.threads }
    }

    /// A core of one thread, and a package of all cores.
    private func topology(_ leaf: UInt32, _ number: UInt32) -> [CPUIDLeaf] {
        func level(_ subleaf: UInt32, _ type: UInt32, shift: UInt32, count: UInt32) -> CPUIDLeaf {
            CPUIDLeaf(leaf: leaf, subleaf: subleaf, eax: shift, ebx: count, ecx: type << 8 | subleaf, edx: number)
        }
        return [
            level(0, 1, shift: 0, count: 1), level(1, 2, shift: idBits, count: cpus), level(2, 0, shift: 0, count: 0),
        ]
    }

    private var highest: UInt32 { leaves.first { $0.leaf == 0 }?.eax ?? 0 }
    /// Bits that tell the package's cores apart.
    private var idBits: UInt32 { UInt32(UInt32.bitWidth - (cpus - 1).leadingZeroBitCount) }
    private var idsOfPackage: UInt32 { 1 << idBits }
}
