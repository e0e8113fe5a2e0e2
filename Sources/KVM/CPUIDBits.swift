// Further bits in a CPUID table that is there already: for machines whose KVM must allow more than their guests are told.
//
// An ordinary start never executes it, so it does not count to the core. Read next: Registers.swift.

import CKVM

extension CPUID {
    /// Sets bits of ECX in the first entry of a leaf; nothing when the table has none.
    public mutating func allow(ecx bits: UInt32, leaf: UInt32) {
        let count = min(Int(table.count), Int(CKVM_CPUID_MAX))
        for index in 0..<count {
            // Sound: the index lies inside an array of CKVM_CPUID_MAX.
            if unsafe ckvm_cpuid_entries(&table)[index].function == leaf {
                unsafe ckvm_cpuid_entries(&table)[index].ecx |= bits
                return
            }
        }
    }
}
