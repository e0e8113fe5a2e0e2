// What this host's CPU says of itself: CPUID and XGETBV, executed here, not asked of KVM.
//
// KVM_GET_SUPPORTED_CPUID says the same more slowly (a third of a millisecond). Read next: Affinity.swift.

import CHost
import Glibc

public enum Processor {
    /// EAX, EBX, ECX, EDX of a CPUID leaf.
    public static func cpuid(_ leaf: UInt32, _ subleaf: UInt32 = 0) -> (
        eax: UInt32, ebx: UInt32, ecx: UInt32, edx: UInt32
    ) {
        var out: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &out) {
            // Sound: four consecutive UInt32 are what the shim fills.
            unsafe chost_cpuid(leaf, subleaf, $0.assumingMemoryBound(to: UInt32.self).baseAddress)
        }
        return (eax: out.0, ebx: out.1, ecx: out.2, edx: out.3)
    }

    /// XCR0 as the host's kernel set it; 3 (x87 and SSE) when it uses no XSAVE. ECX of leaf 1 tells that (OSXSAVE).
    public static func xcr0(leaf1ECX: UInt32) -> UInt64 {
        leaf1ECX & 1 << 27 == 0 ? 3 : chost_xgetbv0()
    }

    /// Whether the kernel has set CR4.FSGSBASE (HWCAP2_FSGSBASE, bit 1; Linux, Documentation/arch/x86/x86_64/fsgs.rst).
    public static func kernelEnablesFSGSBASE() -> Bool { chost_hwcap2() & 2 != 0 }

    /// Bytes of RAM in this host.
    public static func memorySize() -> UInt64 {
        UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) &* UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
    }
}
