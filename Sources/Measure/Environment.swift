// Where a measurement was made: a number without this means nothing to anybody else.
//
// Everything comes from files of the kernel. What disturbed the host meanwhile is Noise.swift's. Read next: Noise.swift.

/// The host, as far as it explains a measurement. Text that a host does not tell is empty.
public struct Environment: Equatable, Sendable, Codable {
    public var cpu: String
    public var cpus: Int
    public var microcode: String
    public var memoryKib: Int
    public var kernel: String
    /// Words of the kernel's command line that change timings: isolcpus, nohz_full, mitigations and their kin.
    public var bootOptions: [String]
    /// How the kernel guards against each flaw of the CPU: the files in /sys/devices/system/cpu/vulnerabilities.
    public var mitigations: [String: String]
    public var virtualization: KVMKind
    /// The KVM module behind `virtualization`, such as "kvm_intel".
    public var module: String
    /// Of kvm and that module: "kvm.halt_poll_ns". Whether guests may be hypervisors is "kvm_intel.nested".
    public var parameters: [String: String]
    /// Whether the host is itself a virtual machine: then every exit may be paid for twice.
    public var isVirtual: Bool
    /// Whose; empty on bare metal, and where nobody told.
    public var hypervisor: String
    /// Of the first CPU; empty where the frequency cannot be set.
    public var governor: String
    /// "on", "off", or empty.
    public var turbo: String
    /// "on", "off", "notsupported" (Linux, Documentation/ABI/testing/sysfs-devices-system-cpu).
    public var smt: String
    public var clockSource: String
    /// "always", "madvise" or "never".
    public var transparentHugePages: String
    /// Reserved pages of hugetlbfs, by size: "hugepages-2048kB".
    public var hugePages: [String: Int]
    /// Load average of the last minute: above a fraction of the CPUs, the figures are disturbed.
    public var load: Double
    /// What was measured, by name.
    public var versions: [String: String]

    public init(versions: [String: String] = [:], hypervisor: String = "", _ host: HostFiles) {
        let info = host.text("/proc/cpuinfo") ?? ""
        let flags = field("flags", info).split(separator: " ")
        let system = "/sys/devices/system"
        cpu = field("model name", info)
        cpus = lines(info).count { $0.hasPrefix("processor") }
        microcode = field("microcode", info)
        memoryKib = Int(field("MemTotal", host.text("/proc/meminfo") ?? "").prefix { $0 != " " }) ?? 0
        kernel = host.word("/proc/sys/kernel/osrelease")
        bootOptions = host.word("/proc/cmdline").split(separator: " ").filter(Self.matters).map(String.init)
        mitigations = host.words(matching: "\(system)/cpu/vulnerabilities/*")
        (virtualization, module) = Self.kvm(flags, host)
        parameters = Self.parameters(of: ["kvm", module], host)
        isVirtual = flags.contains("hypervisor")
        self.hypervisor = isVirtual ? hypervisor : ""
        governor = host.word("\(system)/cpu/cpu0/cpufreq/scaling_governor")
        turbo = Self.turbo(host)
        smt = host.word("\(system)/cpu/smt/control")
        clockSource = host.word("\(system)/clocksource/clocksource0/current_clocksource")
        transparentHugePages = host.choice("/sys/kernel/mm/transparent_hugepage/enabled")
        hugePages = Self.hugePages(host)
        load = Double(host.word("/proc/loadavg").prefix { $0 != " " }) ?? 0
        self.versions = versions
    }

    private static func kvm(_ flags: [Substring], _ host: HostFiles) -> (KVMKind, String) {
        if host.text("/sys/class/misc/kvm/dev") == nil { return (.none, "") }
        let modules = host.paths("/sys/module/kvm_*").compactMap { $0.split(separator: "/").last.map(String.init) }
        return KVMKind.identify(vmx: flags.contains("vmx"), svm: flags.contains("svm"), modules: modules)
    }

    private static func parameters(of modules: [String], _ host: HostFiles) -> [String: String] {
        var parameters: [String: String] = [:]
        for name in modules where !name.isEmpty {
            for (key, value) in host.words(matching: "/sys/module/\(name)/parameters/*") {
                parameters["\(name).\(key)"] = value
            }
        }
        return parameters
    }

    private static func hugePages(_ host: HostFiles) -> [String: Int] {
        var pages: [String: Int] = [:]
        for path in host.paths("/sys/kernel/mm/hugepages/*/nr_hugepages") {
            if let size = path.split(separator: "/").dropLast().last { pages[String(size)] = Int(host.word(path)) ?? 0 }
        }
        return pages
    }

    /// The rest of a command line (consoles, disks) is nobody's business.
    private static func matters(_ word: Substring) -> Bool {
        let names = [
            "isolcpus", "nohz", "nohz_full", "rcu_nocbs", "irqaffinity", "mitigations", "idle", "intel_idle.max_cstate",
            "processor.max_cstate", "cpuidle.off", "intel_pstate", "amd_pstate", "nosmt", "nopti", "pti", "spectre_v2",
            "nospectre_v2", "tsc", "clocksource", "hugepages", "hugepagesz", "default_hugepagesz",
            "transparent_hugepage", "preempt", "threadirqs", "skew_tick", "nokaslr", "swiftlet_lab",
        ]
        let name = word.prefix { $0 != "=" }
        return names.contains(String(name)) || name.hasPrefix("kvm") || name.hasPrefix("cpuidle_haltpoll")
    }

    private static func turbo(_ host: HostFiles) -> String {
        switch (
            host.word("/sys/devices/system/cpu/intel_pstate/no_turbo"),
            host.word("/sys/devices/system/cpu/cpufreq/boost")
        ) {
        case ("0", _), (_, "1"): "on"
        case ("1", _), (_, "0"): "off"
        default: ""
        }
    }

    /// What every figure made on a software KVM carries.
    public static let softwareStamp = "software KVM: not representative of VT-x or SVM"

    /// What every figure made here carries, pictures too: why it says nothing of hardware. Empty where it does.
    public var stamps: [String] {
        var list: [String] = []
        if virtualization == .software { list.append(Self.softwareStamp) }
        if hypervisor == hypervisorName(signature: "TCGTCGTCGTCG")
            || bootOptions.contains(where: { $0.hasPrefix("swiftlet_lab=") })
        {
            list.append("emulated CPU: not representative of hardware")
        }
        return list
    }

    /// What a reader must know before the figures; empty when there is nothing.
    public var warnings: [String] {
        var list = stamps
        if isVirtual {
            list.append("the host is itself a virtual machine" + (hypervisor.isEmpty ? "" : ", under \(hypervisor)"))
        }
        if load > Double(cpus) / 4 {
            list.append("other work on this host (load \(load)): ratios suffer less; look at their intervals")
        }
        if !governor.isEmpty, governor != "performance" {
            list.append("governor \(governor): the clock rate may change between samples")
        }
        return list
    }

    /// Two lines for a report.
    public var summary: String {
        let clock = governor.isEmpty ? "" : ", governor \(governor)"
        let built = versions.sorted { $0.key < $1.key }.map { ", \($0.key) \($0.value)" }.joined()
        return "\(cpu) (\(cpus) CPUs, microcode \(microcode)\(clock)), Linux \(kernel)\n\(kvm), load \(load)\(built)"
    }

    /// "SVM KVM (kvm_amd)"
    public var kvm: String {
        let behind = module.isEmpty ? "" : " (\(module))"
        return virtualization == .none ? "no /dev/kvm" : "\(virtualization.rawValue) KVM\(behind)"
    }
}
