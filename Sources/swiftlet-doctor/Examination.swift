// What doctor finds: facts only, no judgement. Everything that touches the host starts here.
//
// Read next: Virtualization.swift, HostCPU.swift, HostMemory.swift, Measurements.swift, then Diagnosis.swift.

import KVM

struct Examination: Encodable, Equatable, Sendable {
    var cpu: HostCPU
    var memory: HostMemory
    var virtualization: Virtualization
    var sandbox: HostSandbox
    /// Nil when /dev/kvm cannot be opened.
    var capabilities: [CapabilityFinding]?
    /// Nil when there is nothing to measure with.
    var measurements: Measurements?
}

extension Examination {
    /// Looks, asks, measures.
    init() {
        cpu = HostCPU()
        memory = HostMemory()
        virtualization = Virtualization(cpu: cpu)
        sandbox = HostSandbox()
        do throws(KVMError) {
            let kvm = try KVM()
            virtualization.device = .usable
            virtualization.apiVersion = KVM.apiVersion
            let found = CapabilityFinding.all(kvm)
            capabilities = found
            // Without one of these a probe could hang or would measure something else.
            if found.allSatisfy({ !$0.isMissing }) { measurements = Measurements(kvm) }
        } catch { virtualization.device = DeviceState(error) }
    }
}
