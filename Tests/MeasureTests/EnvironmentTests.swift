// The host's record, from invented hosts.

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
        "/sys/class/misc/kvm/dev": "10:232\n",
    ]

    private func host(_ changes: [String: String] = [:], without missing: String = "") -> Environment {
        Environment(modules: ["kvm_amd", "kvm_soft"]) { path in
            path == missing ? nil : changes[path] ?? Self.files[path]
        }
    }

    @Test func readsTheKernelsFiles() {
        let host = host()
        #expect((host.cpu, host.cpus, host.microcode) == ("Example CPU 3000", 2, "0x42"))
        #expect((host.kernel, host.load, host.governor) == ("6.18.0-test", 0.25, ""))
        #expect(host.isVirtual)
    }

    @Test func kvmWithoutHardwareIsSoftware() {
        #expect(host().virtualization == .software)
        #expect(host().module == "kvm_soft")
        #expect(host().warnings.first == "software KVM: not representative of VT-x or SVM")
    }

    @Test(arguments: [("vmx", Environment.Virtualization.vtx, "kvm_intel"), ("svm", .svm, "kvm_amd")])
    func flagsTellTheHardware(flag: String, kind: Environment.Virtualization, module: String) {
        let host = host(["/proc/cpuinfo": "processor : 0\nflags : fpu \(flag)\n"])
        #expect(host.virtualization == kind)
        #expect(host.module == module)
        #expect(!host.isVirtual)
        #expect(host.warnings.isEmpty)
    }

    @Test func withoutDeviceThereIsNoKVM() {
        #expect(host(without: "/sys/class/misc/kvm/dev").virtualization == .none)
    }

    @Test func loadIsWarnedOf() {
        #expect(host(["/proc/loadavg": "1.50 1 1 1/1 1"]).warnings.contains { $0.contains("load 1.5") })
    }

    @Test func nothingReadableIsARecordToo() {
        let unknown = Environment(modules: []) { _ in nil }
        #expect((unknown.cpu, unknown.cpus, unknown.load) == ("", 0, 0))
        #expect(unknown.virtualization == .none)
    }

    @Test func summaryNamesVersions() {
        let host = Environment(versions: ["swiftlet": "0.1.0"], modules: ["kvm_soft"]) { Self.files[$0] }
        #expect(host.summary.hasSuffix("software KVM (kvm_soft), load 0.25, swiftlet 0.1.0"))
    }
}
