/*
 * The twin's KVM set-up: VM, memory slots, vCPU, CPUID, clock, registers, in Swiftlet's order.
 *
 * As Sources/VMM/Machine.swift, GuestCPU.swift, MachineClock.swift and VCPUState.swift. Read next: image.c.
 */
#include "twin.h"

#include <cpuid.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct leaf {
    uint32_t eax, ebx, ecx, edx;
};

static struct leaf host_leaf(uint32_t leaf, uint32_t subleaf)
{
    struct leaf out;
    __cpuid_count(leaf, subleaf, out.eax, out.ebx, out.ecx, out.edx);
    return out;
}

static uint64_t guest_xcr0(void)
{
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    uint64_t value = 3;
    if (low & 1 << 2)
        value |= 1 << 2;
    if ((low & (1 << 2 | 7 << 5)) == (1 << 2 | 7 << 5))
        value |= 7 << 5;
    return value;
}

/* What a guest may be told of a host's CPUID word: an allow-list; bits that need AVX or AVX-512 state are apart. */
static uint32_t allowed(uint32_t word, uint64_t xcr0, uint32_t basic, uint32_t avx, uint32_t avx512)
{
    if (xcr0 & 1 << 2)
        basic |= avx;
    if ((xcr0 & 7 << 5) == 7 << 5)
        basic |= avx512;
    return word & basic;
}

static void add_leaf(struct cpu *cpu, uint32_t leaf, int64_t subleaf, struct leaf value)
{
    cpu->cpuid.entries[cpu->cpuid.count++] = (struct kvm_cpuid_entry2){
        .function = leaf, .index = subleaf < 0 ? 0 : (uint32_t)subleaf,
        .flags = subleaf < 0 ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
        .eax = value.eax, .ebx = value.ebx, .ecx = value.ecx, .edx = value.edx,
    };
}

void cpu_describe(struct cpu *cpu)
{
    struct leaf zero = host_leaf(0, 0), one = host_leaf(1, 0);
    struct leaf seven = zero.eax >= 7 ? host_leaf(7, 0) : (struct leaf){0}, extended = host_leaf(0x80000001, 0);
    bool xsave = one.ecx & 1 << 27 && zero.eax >= 0xd, fsgsbase = getauxval(AT_HWCAP2) & 2;
    uint64_t xcr0 = cpu->xcr0 = xsave ? guest_xcr0() : 0;
    cpu->features = (struct swiftlet_cpu_features){
        .leaf1_ecx = (allowed(one.ecx, xcr0, 0xced82203, 0x30001000, 0) & (xsave ? ~0u : ~(3u << 26))) | 1u << 31,
        .leaf1_edx = allowed(one.edx, xcr0, 0x078ba379, 0, 0),
        .leaf7_ebx = allowed(seven.ebx, xcr0, 0x218c0309, 0x20, 0xd0230000) & (fsgsbase ? ~0u : ~1u),
        .leaf7_ecx = allowed(seven.ecx, xcr0, 0x18000100, 0x600, 0x5842),
        .leaf7_edx = allowed(seven.edx, xcr0, 0x4010, 0, 0x00800100),
        .leaf80000001_ecx = allowed(extended.ecx, xcr0, 0x1e1, 0, 0),
        .leaf80000001_edx = allowed(extended.edx, xcr0, 0x28500000, 0, 0),
        .xcr0 = xcr0,
    };
    const struct swiftlet_cpu_features *words = &cpu->features;
    cpu->cr4 = 1 << 5 | 1 << 9 | 1 << 10 | (xsave ? 1 << 18 : 0) | (words->leaf7_ebx & 1 ? 1 << 16 : 0);

    struct leaf sizes = host_leaf(0x80000008, 0);
    zero.eax = zero.eax < 0xd ? zero.eax : 0xd;
    add_leaf(cpu, 0, -1, zero);
    add_leaf(cpu, 1, -1, (struct leaf){one.eax, one.ebx, words->leaf1_ecx, words->leaf1_edx});
    add_leaf(cpu, 7, 0, (struct leaf){0, words->leaf7_ebx, words->leaf7_ecx, words->leaf7_edx});
    add_leaf(cpu, 0x80000000, -1, (struct leaf){0x80000008, 0, 0, 0});
    add_leaf(cpu, 0x80000001, -1, (struct leaf){0, 0, words->leaf80000001_ecx, words->leaf80000001_edx});
    add_leaf(cpu, 0x80000008, -1, (struct leaf){sizes.eax, sizes.ebx, 0, 0});
    if (cpu->xcr0) {
        struct leaf state = host_leaf(0xd, 0);
        add_leaf(cpu, 0xd, 0, (struct leaf){(uint32_t)cpu->xcr0, state.ebx, state.ecx, 0});
    }
}

static void add_slot(struct machine *machine, uint32_t slot, uint64_t start, uint64_t end, uint32_t flags)
{
    struct kvm_userspace_memory_region region = {
        .slot = slot, .flags = flags, .guest_phys_addr = start, .memory_size = end - start,
        .userspace_addr = (uint64_t)machine->memory + start,
    };
    check(ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

/* pvclock's scale: (delta << shift) * multiplier >> 32 is nanoseconds. */
static void start_clock(struct machine *machine)
{
    struct {
        uint32_t count, padding;
        struct kvm_msr_entry entry;
    } tsc = {.count = 1, .entry.index = 0x10};
    struct clock *clock = &machine->clock;
    clock->frequency = (uint64_t)check(ioctl(machine->vcpu, KVM_GET_TSC_KHZ, 0), "KVM_GET_TSC_KHZ") * 1000;
    uint64_t before = __builtin_ia32_rdtsc();
    check(ioctl(machine->vcpu, KVM_GET_MSRS, &tsc), "KVM_GET_MSRS");
    clock->host_start = before + (__builtin_ia32_rdtsc() - before) / 2;
    clock->guest_start = tsc.entry.data;
    clock->stable = host_leaf(0x80000007, 0).edx & 1 << 8;
    uint64_t rate = clock->frequency;
    for (; rate > 2000000000; rate >>= 1)
        clock->shift--;
    for (; rate <= 1000000000; rate <<= 1)
        clock->shift++;
    __uint128_t second = (__uint128_t)1000000000 << 32;
    if (clock->shift < 0)
        clock->multiplier = (uint32_t)((second << -clock->shift) / clock->frequency);
    else
        clock->multiplier = (uint32_t)(second / (clock->frequency << clock->shift));
}

void machine_create(struct machine *machine)
{
    struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP};
    int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
    if (ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        fail("KVM_GET_API_VERSION");
    static const int needed[] = {
        KVM_CAP_SYNC_REGS, KVM_CAP_IMMEDIATE_EXIT, KVM_CAP_READONLY_MEM, KVM_CAP_SPLIT_IRQCHIP,
    };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (ioctl(kvm, KVM_CHECK_EXTENSION, needed[i]) <= 0)
            fail("KVM_CHECK_EXTENSION");
    machine->vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    add_slot(machine, 0, GDT, MACHINE_END, KVM_MEM_READONLY);
    add_slot(machine, 1, MEMORY_START, MEMORY_SIZE, 0);
    check(ioctl(machine->vm, KVM_ENABLE_CAP, &split), "KVM_CAP_SPLIT_IRQCHIP");
    machine->run_size = (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    machine->vcpu = check(ioctl(machine->vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
    machine->run = mmap(NULL, machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine->vcpu, 0);
    if (machine->run == MAP_FAILED)
        fail("mmap of kvm_run");
    start_clock(machine);
    machine->stop = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    close(kvm);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool is_code)
{
    return (struct kvm_segment){
        .limit = 0xffffffff, .selector = selector, .type = type, .present = 1, .dpl = 3,
        .db = !is_code, .s = 1, .l = is_code, .g = 1,
    };
}

void machine_load(struct machine *machine, struct start start)
{
    struct kvm_segment data = segment(USER_DATA, 0x3, false);
    struct kvm_sregs sregs = {
        .cr0 = 0x80050033, .cr3 = start.cr3, .cr4 = machine->cpu.cr4, .efer = 1 << 8 | 1 << 10 | 1 << 11,
        .cs = segment(USER_CODE, 0xb, true), .ss = data, .ds = data, .es = data, .fs = data, .gs = data,
        .tr = {.base = TSS, .limit = TSS_LIMIT, .selector = TASK, .type = 0xb, .present = 1},
        .ldt.unusable = 1,
        .gdt = {.base = GDT, .limit = 0x4f},
        .idt = {.base = IDT, .limit = 0xfff},
        .apic_base = 0xfee00100, /* bootstrap processor, not enabled */
    };
    sregs.gs.base = CALL_PAGE;
    struct kvm_xcrs xcrs = {.nr_xcrs = 1, .xcrs[0].value = machine->cpu.xcr0};
    struct kvm_regs regs = {.rip = start.rip, .rsp = start.rsp, .rdi = start.rdi, .rflags = 0x3202};
    check(ioctl(machine->vcpu, KVM_SET_CPUID2, &machine->cpu.cpuid), "KVM_SET_CPUID2");
    check(ioctl(machine->vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    if (machine->cpu.xcr0)
        check(ioctl(machine->vcpu, KVM_SET_XCRS, &xcrs), "KVM_SET_XCRS");
    check(ioctl(machine->vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
    machine->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
}
