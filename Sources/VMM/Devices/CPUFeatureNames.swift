// CPUID's feature bits by the names that Linux's /proc/cpuinfo has for them: what a template switches off by name.
//
// Intel SDM vol. 2A, CPUID; AMD APM vol. 3, appendix E; Linux, arch/x86/include/asm/cpufeatures.h. Of a run only one with
// `--cpu` looks here, or one on a host that emulates ring 0. Read next: CPUTemplate.swift.

/// A register of CPUID's answer.
enum CPUIDRegister: String, Equatable, Sendable {
    case eax, ebx, ecx, edx
}

/// Where a feature's bit is.
struct CPUFeature: Equatable, Sendable {
    let leaf: UInt32
    let subleaf: UInt32?
    let register: CPUIDRegister
    let bit: UInt32

    /// Nil for an unknown name.
    init?(_ name: String) {
        for (leaf, subleaf, register, names) in Self.words {
            // Names stand in the order of bits, `-` where there is none.
            guard let bit = names.split(separator: " ").firstIndex(where: { $0 == name }), name != "-" else { continue }
            (self.leaf, self.subleaf, self.register, self.bit) = (leaf, subleaf, register, UInt32(bit))
            return
        }
        return nil
    }

    private static let words: [(UInt32, UInt32?, CPUIDRegister, String)] = [
        (
            1, nil, .ecx,
            "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 "
                + "sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave osxsave avx f16c rdrand hypervisor"
        ),
        (
            1, nil, .edx,
            "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse "
                + "sse2 ss ht tm ia64 pbe"
        ),
        (
            7, 0, .ebx,
            "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx "
                + "smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"
        ),
        (
            7, 0, .ecx,
            "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 shstk gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme "
                + "avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd sgx_lc pks"
        ),
        (
            7, 0, .edx,
            "- - avx512_4vnniw avx512_4fmaps fsrm uintr - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - "
                + "pconfig arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile amx_int8 - - flush_l1d arch_capabilities "
                + "core_capabilities ssbd"
        ),
        (0xd, 1, .eax, "xsaveopt xsavec xgetbv1 xsaves"),
        (
            0x8000_0001, nil, .ecx,
            "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp "
                + "fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx"
        ),
        (
            0x8000_0001, nil, .edx,
            "- - - - - - - - - - - syscall - - - - - - - - nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow"
        ),
        (0x8000_0007, nil, .edx, "- - - - - - - hw_pstate constant_tsc"),
        (0x8000_0008, nil, .ebx, "clzero irperf xsaveerptr - - - - - - wbnoinvd"),
        (
            0x4000_0001, nil, .eax,
            "kvmclock kvm_nopiodelay kvm_mmu_op kvmclock2 kvm_asyncpf kvm_steal_time kvm_pv_eoi kvm_pv_unhalt - "
                + "kvm_pv_tlb_flush kvm_asyncpf_vmexit kvm_pv_send_ipi kvm_poll_control kvm_pv_sched_yield kvm_asyncpf_int "
                + "kvm_msi_ext_dest_id - - - - - - - - kvmclock_stable"
        ),
    ]

    /// What kvm's emulator does not know, and a kernel that finds it would use (facts of KVM, arch/x86/kvm/emulate.c):
    /// everything on vector registers beyond moving them, and these.
    static let notEmulated = [
        "pni", "pclmulqdq", "monitor", "ssse3", "fma", "cx16", "sse4_1", "sse4_2", "popcnt", "aes", "xsave", "osxsave",
        "avx", "f16c", "bmi1", "avx2", "bmi2", "invpcid", "avx512f", "avx512dq", "adx", "smap", "avx512ifma", "clwb",
        "avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl", "avx512vbmi", "avx512_vbmi2", "gfni",
        "vaes",
        "vpclmulqdq", "avx512_vnni", "avx512_bitalg", "avx512_vpopcntdq", "avx512_vp2intersect", "avx512_fp16", "pku",
        "xsaveopt", "xsavec", "xgetbv1", "xsaves", "sse4a", "xop", "fma4", "tbm", "rdtscp", "clzero",
    ]
}
