// What doctor reads from CPUID, /proc and /sys, with hosts made up of what real ones say.
//
// Read next: Sources/swiftlet-doctor/HostCPU.swift.

import Testing

@testable import swiftlet_doctor

/// CPUID of an invented CPU.
struct InventedCPU {
    var leaves: [UInt32: HostCPU.Leaf] = [:]

    func callAsFunction(_ leaf: UInt32, _ subleaf: UInt32) -> HostCPU.Leaf { leaves[leaf] ?? (0, 0, 0, 0) }

    /// Four bytes of text as a register has them.
    static func word(_ text: String) -> UInt32 {
        text.utf8.enumerated().reduce(0) { $0 | UInt32($1.element) << UInt32(8 * $1.offset) }
    }

    /// An Intel Kaby Lake with VT-x on bare metal.
    static var intel: InventedCPU {
        var cpu = InventedCPU()
        cpu.leaves[0] = (0x16, word("Genu"), word("ntel"), word("ineI"))
        cpu.leaves[1] = (0x0009_06e9, 0, 1 << 5 | 1 << 20 | 1 << 28, 0)
        cpu.leaves[7] = (0, 1 << 5, 0, 0)
        cpu.leaves[0x8000_0000] = (0x8000_0008, 0, 0, 0)
        cpu.leaves[0x8000_0002] = (word("  In"), word("tel("), word("R)  "), word("Core"))
        cpu.leaves[0x8000_0007] = (0, 0, 0, 1 << 8)
        return cpu
    }

    /// An AMD Zen 4 with SVM, in a KVM guest.
    static var nestedAMD: InventedCPU {
        var cpu = InventedCPU()
        cpu.leaves[0] = (0xd, word("Auth"), word("cAMD"), word("enti"))
        cpu.leaves[1] = (0x00a1_0f11, 0, 1 << 31, 0)
        cpu.leaves[0x4000_0000] = (0x4000_0001, word("KVMK"), word("VMKV"), word("M"))
        cpu.leaves[0x8000_0000] = (0x8000_0001, 0, 0, 0)
        cpu.leaves[0x8000_0001] = (0, 0, 1 << 2, 0)
        return cpu
    }
}

@Suite struct HostCPUTests {
    @Test func intelOnBareMetal() {
        let cpu = HostCPU(cpuid: InventedCPU.intel.callAsFunction)
        #expect(cpu.vendor == "GenuineIntel")
        #expect(cpu.model == "Intel(R) Core")
        #expect((cpu.family, cpu.modelNumber, cpu.stepping) == (6, 158, 9))
        #expect(cpu.vectors == ["SSE2", "SSE4.2", "AVX", "AVX2"])
        #expect((cpu.vmx, cpu.svm, cpu.invariantTSC) == (true, false, true))
        #expect((cpu.isVirtual, cpu.hypervisor) == (false, ""))
    }

    @Test func amdInAVirtualMachine() {
        let cpu = HostCPU(cpuid: InventedCPU.nestedAMD.callAsFunction)
        #expect(cpu.vendor == "AuthenticAMD")
        #expect((cpu.family, cpu.modelNumber, cpu.stepping) == (25, 17, 1))
        #expect((cpu.vmx, cpu.svm, cpu.invariantTSC) == (false, true, false))
        #expect((cpu.isVirtual, cpu.hypervisor, cpu.hypervisorName) == (true, "KVMKVMKVM", "KVM"))
        #expect(cpu.model == "")
    }

    @Test func aCPUThatSaysNothing() {
        let cpu = HostCPU(cpuid: InventedCPU().callAsFunction)
        #expect((cpu.vendor, cpu.family, cpu.isVirtual) == ("", 0, false))
    }
}

@Suite struct VirtualizationTests {
    @Test func availableMemory() {
        #expect(HostMemory.available("MemTotal: 5 kB\nMemAvailable:   12345 kB\n") == 12345 * 1024)
        #expect(HostMemory.available("MemTotal: 5 kB") == nil)
        #expect(HostMemory.available("MemAvailable:") == nil)
        #expect(HostMemory.available("MemAvailable: many kB") == nil)
    }
}
