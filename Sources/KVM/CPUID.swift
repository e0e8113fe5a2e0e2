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

/// The table, as the kernel reads and writes it. The corresponding struct is `kvm_cpuid2`.
public struct CPUID: Sendable {
    var table: ckvm_cpuid

    public init() {
        table = ckvm_cpuid()
    }

    init(_ table: ckvm_cpuid) {
        self.table = table
    }

    /// How many leaves there is room for.
    public static let capacity = Int(CKVM_CPUID_MAX)

    /// More than `capacity` are left out.
    public mutating func append(_ leaf: CPUIDLeaf) {
        let index = Int(table.count)
        if index == Self.capacity { return }
        table.count += 1
        // Sound: the index lies inside an array of CKVM_CPUID_MAX.
        unsafe ckvm_cpuid_entries(&table)[index] = kvm_cpuid_entry2(
            function: leaf.leaf, index: leaf.subleaf ?? 0,
            flags: leaf.subleaf == nil ? 0 : UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX),
            eax: leaf.eax, ebx: leaf.ebx, ecx: leaf.ecx, edx: leaf.edx, padding: (0, 0, 0))
    }

    public var leaves: [CPUIDLeaf] {
        var table = table
        // Sound: `count` is at most the array's size, by `append` or by the kernel.
        let entries = unsafe UnsafeBufferPointer(start: ckvm_cpuid_entries(&table), count: Int(table.count))
        return unsafe entries.map { entry in
            let indexed = entry.flags & UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0
            return CPUIDLeaf(
                leaf: entry.function, subleaf: indexed ? entry.index : nil,
                eax: entry.eax, ebx: entry.ebx, ecx: entry.ecx, edx: entry.edx)
        }
    }

    func withTable<R>(_ body: (UnsafePointer<ckvm_cpuid>) -> R) -> R {
        unsafe withUnsafePointer(to: table) { unsafe body($0) }
    }
}
