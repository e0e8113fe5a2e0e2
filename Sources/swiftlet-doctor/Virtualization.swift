// Which KVM this is (Measure/KVMKind.swift), what it is set to, whether we may use it.
//
// Parameters: Linux, Documentation/admin-guide/kernel-parameters.txt, "kvm". Read next: CapabilityFinding.swift.

import Host
import KVM
import Measure

struct Virtualization: Encodable, Equatable, Sendable {
    var device = DeviceState.absent
    /// Nil when /dev/kvm is not usable: it was not asked, or it is another one than 12.
    var apiVersion: Int?
    var kind: KVMKind
    /// Such as "kvm_amd"; empty when none is known.
    var module: String
    /// Parameters of kvm and its module that matter to speed, "kvm_intel.ept": "Y".
    var parameters: [String: String]

    init(cpu: HostCPU) {
        let modules = paths(matching: "/sys/module/kvm_*").compactMap { $0.split(separator: "/").last.map(String.init) }
        (kind, module) = KVMKind.identify(vmx: cpu.vmx, svm: cpu.svm, modules: modules)
        parameters = Self.parameters(module)
    }

    private static func parameters(_ module: String) -> [String: String] {
        var found: [String: String] = [:]
        let names = ["kvm.tdp_mmu", "kvm.nx_huge_pages", "kvm.halt_poll_ns"]
        for name in names + ["ept", "npt", "nested", "vpid", "unrestricted_guest", "avic"].map({ "\(module).\($0)" }) {
            let parts = name.split(separator: ".")
            guard parts.count == 2 else { continue }
            found[name] = HostText.read("/sys/module/\(parts[0])/parameters/\(parts[1])")
        }
        return found
    }

    /// Whether the CPU walks the guest's page tables and KVM's together; nil when KVM does not say.
    var hasNestedPaging: Bool? {
        (parameters["kvm_intel.ept"] ?? parameters["kvm_amd.npt"]).map { $0 == "Y" || $0 == "1" }
    }
}

/// What opening /dev/kvm came to.
enum DeviceState: String, Encodable, Sendable {
    case usable
    /// No such file, or nothing behind it.
    case absent
    /// It is there, but not for this user.
    case forbidden
    /// It speaks another API version than 12.
    case incompatible
    case failing

    init(_ error: KVMError) {
        switch (error.request.description, error.errno) {
        case ("KVM_GET_API_VERSION", _): self = .incompatible
        case (_, 1), (_, 13): self = .forbidden  // EPERM, EACCES
        case (_, 2), (_, 6), (_, 19): self = .absent  // ENOENT, ENXIO, ENODEV
        default: self = .failing
        }
    }
}
