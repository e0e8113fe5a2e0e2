// Where a measurement was made: a number without this means nothing to anybody else.
//
// Everything comes from files of the kernel, read through a function that the caller gives: so this imports nothing, and
// tests invent a host. Read next: ResidentMemory.swift.

/// The host, as far as it explains a measurement. Text that a host does not tell is empty.
public struct Environment: Equatable, Sendable, Codable {
    /// How KVM runs guests here.
    public enum Virtualization: String, Sendable, Codable {
        case vtx = "VT-x"
        case svm = "SVM"
        /// A KVM without hardware support: its figures say nothing about VT-x or SVM.
        case software
        case none
    }

    public var cpu: String
    public var cpus: Int
    public var microcode: String
    public var kernel: String
    public var virtualization: Virtualization
    /// Whether the host is itself a virtual machine.
    public var isVirtual: Bool
    /// The KVM module behind `virtualization`, such as "kvm_intel".
    public var module: String
    /// Of the first CPU; empty where the frequency cannot be set.
    public var governor: String
    /// Load average of the last minute: above a fraction of the CPUs, the figures are disturbed.
    public var load: Double
    /// What was measured, by name.
    public var versions: [String: String]

    /// Reads the host. `read` gives a file's text, or nil; `modules` are the names in /sys/module that begin with "kvm_".
    public init(versions: [String: String] = [:], modules: [String], read: (String) -> String?) {
        let info = read("/proc/cpuinfo") ?? ""
        let flags = field("flags", info).split(separator: " ")
        cpu = field("model name", info)
        cpus = lines(info).count { $0.hasPrefix("processor") }
        microcode = field("microcode", info)
        kernel = trimmed(read("/proc/sys/kernel/osrelease"))
        isVirtual = flags.contains("hypervisor")
        governor = trimmed(read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
        load = Double(trimmed(read("/proc/loadavg")).prefix { $0 != " " }) ?? 0
        self.versions = versions
        (virtualization, module) = Self.identify(
            vmx: flags.contains("vmx"), svm: flags.contains("svm"), modules: modules,
            hasDevice: read("/sys/class/misc/kvm/dev") != nil)
    }

    /// A CPU that shows VT-x or SVM runs guests with it; a KVM on any other is software.
    private static func identify(
        vmx: Bool, svm: Bool, modules: [String], hasDevice: Bool
    ) -> (Virtualization, String) {
        if !hasDevice { return (.none, "") }
        if vmx { return (.vtx, "kvm_intel") }
        if svm { return (.svm, "kvm_amd") }
        return (.software, modules.first { $0 != "kvm_intel" && $0 != "kvm_amd" } ?? "")
    }

    /// What a reader must know before the figures; nil when there is nothing.
    public var warnings: [String] {
        var list: [String] = []
        if virtualization == .software { list.append("software KVM: not representative of VT-x or SVM") }
        if isVirtual { list.append("the host is itself a virtual machine") }
        if load > Double(cpus) / 4 { list.append("other work on this host (load \(load)): ratios hold, times do not") }
        return list
    }

    /// Two lines for a report.
    public var summary: String {
        let clock = governor.isEmpty ? "" : ", governor \(governor)"
        let kind = virtualization == .none ? "no /dev/kvm" : "\(virtualization.rawValue) KVM\(parenthesised(module))"
        let built = versions.sorted { $0.key < $1.key }.map { ", \($0.key) \($0.value)" }.joined()
        return "\(cpu) (\(cpus) CPUs, microcode \(microcode)\(clock)), Linux \(kernel)\n\(kind), load \(load)\(built)"
    }
}

private func parenthesised(_ text: String) -> String { text.isEmpty ? "" : " (\(text))" }

private func lines(_ text: String) -> [Substring] { text.split(separator: "\n") }

/// The value of the first line "name : value", as /proc/cpuinfo writes them.
private func field(_ name: String, _ text: String) -> String {
    for line in lines(text) where line.hasPrefix(name) {
        let parts = line.split(separator: ":", maxSplits: 1)
        if parts.count == 2, trimmed(String(parts[0])) == name { return trimmed(String(parts[1])) }
    }
    return ""
}

/// Without white space at both ends.
private func trimmed(_ text: String?) -> String {
    var rest = Substring(text ?? "")
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
