// What another vendor's interface needs of KVM: that none of KVM's own is left beside it.
//
// Read next: VMM/Identity/Identity.swift.

import CKVM

extension VCPU {
    /// KVM's own MSRs and calls exist only where CPUID says so: without its leaves not at all. Before Linux 5.10 they stay.
    /// The corresponding capability is `KVM_CAP_ENFORCE_PV_FEATURE_CPUID`.
    public func hideUnlistedFeatures() { _ = ckvm_enable_cap(fd, UInt32(KVM_CAP_ENFORCE_PV_FEATURE_CPUID), 1) }
}
