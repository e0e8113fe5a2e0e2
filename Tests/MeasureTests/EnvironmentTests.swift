// The host's record, from invented hosts; which KVM a host has.
//
// Read next: NoiseTests.swift.

import Testing

@testable import Measure

@Suite struct EnvironmentTests {
    private static let files = [
        "/proc/cpuinfo": """
        processor\t: 0
        model name\t: Example CPU 3000
        microcode\t: 0x42
        flags\t\t: fpu hypervisor avx
        vmx flags\t: vnmi
        processor\t: 1
        model name\t: Example CPU 3000
        """,
        "/proc/sys/kernel/osrelease": "6.18.0-test\n",
        "/proc/loadavg": "0.25 0.50 1.00 1/100 4711\n",
        "/proc/meminfo": "MemTotal:       24684084 kB\nMemFree: 5 kB\n",
        "/proc/cmdline": "root=UUID=1234 isolcpus=1 quiet mitigations=off nohz_full=1 kvm.nx_huge_pages=off nohzx=3\n",
        "/sys/class/misc/kvm/dev": "10:232\n",
        "/sys/devices/system/cpu/vulnerabilities/meltdown": "Mitigation: PTI\n",
        "/sys/devices/system/cpu/vulnerabilities/retbleed": "Not affected\n",
        "/sys/devices/system/cpu/smt/control": "off\n",
        "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
        "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
        "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "16\n",
        "/sys/module/kvm/parameters/halt_poll_ns": "200000\n",
        "/sys/module/kvm_soft/parameters/fast": "Y\n",
        "/sys/module/kvm_intel/parameters/nested": "1\n",
    ]

    private func host(
        _ changes: [String: String] = [:], without missing: String = "", modules: [String] = ["kvm_amd", "kvm_soft"],
        hypervisor: String = "KVM"
    ) -> Environment {
        let files = Self.files.merging(changes) { $1 }.filter { $0.key != missing }
        return Environment(
            versions: ["swiftlet": "0.1.0"], hypervisor: hypervisor,
            HostFiles(text: { files[$0] }) { pattern in
                if pattern == "/sys/module/kvm_*" { return modules.map { "/sys/module/\($0)" } }
                // "/a/*" and "/a/*/b"
                let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
                return files.keys.filter { $0.hasPrefix(parts[0]) && $0.hasSuffix(parts[1]) }.sorted()
            })
    }

    @Test func readsTheKernelsFiles() {
        let host = host()
        #expect((host.cpu, host.cpus, host.microcode) == ("Example CPU 3000", 2, "0x42"))
        #expect((host.kernel, host.load, host.governor) == ("6.18.0-test", 0.25, ""))
        #expect((host.memoryKib, host.smt, host.clockSource) == (24_684_084, "off", "tsc"))
        #expect(host.mitigations == ["meltdown": "Mitigation: PTI", "retbleed": "Not affected"])
        #expect((host.transparentHugePages, host.hugePages) == ("madvise", ["hugepages-2048kB": 16]))
        #expect(host.isVirtual && host.hypervisor == "KVM")
    }

    @Test func onlyParametersOfTheModuleInUse() {
        #expect(host().parameters == ["kvm.halt_poll_ns": "200000", "kvm_soft.fast": "Y"])
    }

    @Test func onlyBootOptionsThatChangeTimings() {
        #expect(host().bootOptions == ["isolcpus=1", "mitigations=off", "nohz_full=1", "kvm.nx_huge_pages=off"])
    }

    @Test(arguments: [
        ("/sys/devices/system/cpu/intel_pstate/no_turbo", "0", "on"),
        ("/sys/devices/system/cpu/cpufreq/boost", "0", "off"),
        ("/nothing", "", ""),
    ])
    func turbo(_ path: String, _ text: String, _ turbo: String) { #expect(host([path: text]).turbo == turbo) }

    @Test func kvmWithoutHardwareIsSoftware() {
        #expect(host().virtualization == .software)
        #expect(host().module == "kvm_soft")
        #expect(host().warnings == [Environment.softwareStamp, "the host is itself a virtual machine, under KVM"])
    }

    @Test(arguments: [("vmx", KVMKind.vtx, "kvm_intel"), ("svm", .svm, "kvm_amd")])
    func flagsTellTheHardware(flag: String, kind: KVMKind, module: String) {
        let host = host(["/proc/cpuinfo": "processor : 0\nflags : fpu \(flag)\n"], modules: ["kvm_amd", "kvm_intel"])
        #expect(host.virtualization == kind)
        #expect(host.module == module)
        #expect(!host.isVirtual && host.hypervisor.isEmpty)
    }

    @Test func emulatedCPUsAreStamped() {
        #expect(
            host(hypervisor: "QEMU's software CPU (TCG)").stamps.last == "emulated CPU: not representative of hardware")
        #expect(
            host(["/proc/cmdline": "swiftlet_lab=vmx"]).stamps.last == "emulated CPU: not representative of hardware")
        #expect(host().stamps == [Environment.softwareStamp])
    }

    @Test func withoutDeviceThereIsNoKVM() {
        #expect(host(without: "/sys/class/misc/kvm/dev").virtualization == .none)
    }

    @Test func loadAndGovernorAreWarnedOf() {
        #expect(host(["/proc/loadavg": "1.50 1 1 1/1 1"]).warnings.contains { $0.contains("load 1.5") })
        let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
        #expect(host([path: "powersave"]).warnings.contains { $0.contains("governor powersave") })
        #expect(!host([path: "performance"]).warnings.contains { $0.contains("governor") })
    }

    @Test func nothingReadableIsARecordToo() {
        let unknown = Environment(HostFiles(text: { _ in nil }))
        #expect((unknown.cpu, unknown.cpus, unknown.load) == ("", 0, 0))
        #expect(unknown.virtualization == .none)
    }

    @Test func summaryNamesVersions() {
        #expect(host().summary.hasSuffix("software KVM (kvm_soft), load 0.25, swiftlet 0.1.0"))
    }
}

@Suite struct KVMKindTests {
    @Test(arguments: [
        (true, false, ["kvm_intel"], KVMKind.vtx, "kvm_intel"),
        (false, true, ["kvm_amd", "kvm_intel"], .svm, "kvm_amd"), (false, false, ["kvm_pvm"], .software, "kvm_pvm"),
        (true, false, ["kvm_pvm"], .software, "kvm_pvm"), (false, false, ["kvm_amd", "kvm_intel"], .unknown, ""),
        (true, true, [], .unknown, ""),
    ])
    func modules(_ vmx: Bool, _ svm: Bool, _ modules: [String], _ kind: KVMKind, _ name: String) {
        #expect(KVMKind.identify(vmx: vmx, svm: svm, modules: modules) == (kind, name))
    }

    @Test func hypervisors() {
        #expect(hypervisorName(signature: cpuidText([0x4b4d_564b, 0x564b_4d56, 0x4d])) == "KVM")
        #expect(hypervisorName(signature: "Example Hv") == "\"Example Hv\"")
    }
}
