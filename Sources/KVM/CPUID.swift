// A CPUID table as KVM takes it: which leaf answers what.
//
// KVM derives from it what CR4 and XCR0 bits a vCPU may have, so even a guest that never executes CPUID needs one.
// Read next: VCPU.swift.

import CKVM

/// One leaf (and subleaf) and its four registers.
public struct CPUIDLeaf: Equatable, Sendable {
    public var leaf: UInt32
    /// Nil for a leaf whose answer does not depend on ECX.
    public var subleaf: UInt32?
    public var eax: UInt32
    public var ebx: UInt32
    public var ecx: UInt32
    public var edx: UInt32

    public init(leaf: UInt32, subleaf: UInt32?, eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32) {
        self.leaf = leaf
        self.subleaf = subleaf
        self.eax = eax
        self.ebx = ebx
        self.ecx = ecx
        self.edx = edx
    }
}

/// The table. The corresponding struct is `kvm_cpuid2`.
public struct CPUID: Sendable {
    /// At most 100 (`CKVM_CPUID_MAX`); more are left out.
    public var leaves: [CPUIDLeaf]

    public init(leaves: [CPUIDLeaf]) {
        self.leaves = leaves
    }

    init(_ table: ckvm_cpuid) {
        var table = table
        // Sound: the kernel wrote `count` entries, and count was at most the array's size.
        let entries = unsafe UnsafeBufferPointer(start: ckvm_cpuid_entries(&table), count: Int(table.count))
        leaves = unsafe entries.map { entry in
            let indexed = entry.flags & UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0
            return CPUIDLeaf(
                leaf: entry.function, subleaf: indexed ? entry.index : nil,
                eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx)
        }
    }

    func withTable<R>(_ body: (UnsafePointer<ckvm_cpuid>) -> R) -> R {
        var table = ckvm_cpuid()
        let count = min(leaves.count, Int(CKVM_CPUID_MAX))
        table.count = UInt32(count)
        // Sound: writes `count` entries into an array of CKVM_CPUID_MAX.
        let entries = unsafe UnsafeMutableBufferPointer(start: ckvm_cpuid_entries(&table), count: count)
        for (index, leaf) in leaves.prefix(count).enumerated() {
            unsafe entries[index] = kvm_cpuid_entry2(
                function: leaf.leaf, index: leaf.subleaf ?? 0,
                flags: leaf.subleaf == nil ? 0 : UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX),
                eax: leaf.eax, ebx: leaf.ebx, ecx: leaf.ecx, edx: leaf.edx, padding: (0, 0, 0))
        }
        return unsafe body(&table)
    }
}
