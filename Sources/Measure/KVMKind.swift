// Which KVM this is: VT-x, SVM, or one that makes do without either; and whose guest the host itself is.
//
// `swiftlet doctor` and `swiftlet bench` both ask here. Read next: Environment.swift.

/// How KVM runs guests here.
public enum KVMKind: String, Sendable, Codable {
    case vtx = "VT-x"
    case svm = "SVM"
    /// A KVM without hardware support: its figures say nothing about VT-x or SVM.
    case software
    /// There is a KVM, and no module that we know runs it.
    case unknown
    /// No /dev/kvm.
    case none

    /// By the modules that the kernel has, built in or loaded: names in /sys/module that begin with "kvm_". kvm_intel and
    /// kvm_amd are idle, if they are there at all, where the CPU does not show what they need.
    public static func identify(vmx: Bool, svm: Bool, modules: [String]) -> (kind: KVMKind, module: String) {
        if vmx, modules.contains("kvm_intel") { return (.vtx, "kvm_intel") }
        if svm, modules.contains("kvm_amd") { return (.svm, "kvm_amd") }
        if let other = modules.first(where: { $0 != "kvm_intel" && $0 != "kvm_amd" }) { return (.software, other) }
        return (.unknown, "")
    }
}

/// Words as the ASCII text that CPUID packs into them.
public func cpuidText(_ words: [UInt32]) -> String {
    let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) } }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}

/// The common name of the hypervisor whose signature CPUID leaf 0x40000000 gives (Linux,
/// Documentation/virt/kvm/x86/cpuid.rst, for the convention).
public func hypervisorName(signature: String) -> String {
    switch signature {
    case "KVMKVMKVM": "KVM"
    case "Linux KVM Hv": "KVM posing as Hyper-V"
    case "Microsoft Hv": "Hyper-V"
    case "VMwareVMware": "VMware"
    case "XenVMMXenVMM": "Xen"
    case "TCGTCGTCGTCG": "QEMU's software CPU (TCG)"
    case "bhyve bhyve ": "bhyve"
    case "VBoxVBoxVBox": "VirtualBox"
    case "ACRNACRNACRN": "ACRN"
    case "": "an unnamed hypervisor"
    default: "\"\(signature)\""
    }
}
