/*
 * Shows: what a ring-0 kernel does at its start and in its handlers has the same outcome in ring 0 and, deprivileged, in
 * ring 3: descriptor tables, selectors, MSRs, control registers, exceptions.
 *
 * "hlt", "cr3", "user", "data", "stub", "faults" as arguments do one thing that ends otherwise; "xsetbv" does one more.
 * Read next: tables.h, expect.
 */
#include "../hvt/hvt.h"
#include "tables.h"

HVT_NO_DEVICES;

static struct table_register read_gdtr(void)
{
    struct table_register value;
    __asm__ volatile("sgdt %0" : "=m"(value));
    return value;
}

static uint64_t read_msr(uint32_t index)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static void write_msr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void check_registers(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    hvt_check((value & 0x80010021) == 0x80010021, "CR0 has PG, WP, NE and PE");
    __asm__ volatile("mov %0, %%cr0; clts" : : "r"(value | 2)); /* MP */
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    hvt_check(value & 2, "CR0.MP is kept");
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(value));
    hvt_check(value == 0x2000, "CR3 is the interface's");
    __asm__ volatile("mov %%cr4, %0; mov %0, %%cr4" : "=r"(value));
    hvt_check((value & 0x620) == 0x620, "CR4 has PAE, OSFXSR and OSXMMEXCPT");
    __asm__ volatile("wbinvd; invlpg (%0)" : : "r"(&value));
    hvt_check(read_msr(0xc0000080) == 0x500, "EFER has LME and LMA");
    write_msr(0xc0000100, (uint64_t)&value);
    value = 0x1122334455667788;
    uint64_t through_fs;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(through_fs));
    hvt_check(through_fs == value, "the FS base takes effect");
    hvt_check(read_msr(0xc0000100) == (uint64_t)&value, "the FS base is read back");
    write_msr(0xc0000102, 0x1234000);
    __asm__ volatile("swapgs");
    hvt_check(read_msr(0xc0000101) == 0x1234000, "SWAPGS swaps");
    __asm__ volatile("swapgs");
}

/* Where there is an XCR0 (CPUID's OSXSAVE): writes what it is already. */
static void write_xcr0(void)
{
    uint32_t leaf = 1, features = 0;
    __asm__ volatile("cpuid" : "+a"(leaf), "+c"(features) : : "rbx", "rdx");
    if (features >> 27 & 1)
        __asm__ volatile("xorl %%ecx, %%ecx; xgetbv; xsetbv" : : : "rax", "rcx", "rdx");
}

static void check_stores(void)
{
    uint64_t value = 0;
    struct table_register table = read_gdtr();
    hvt_check(table.base == (uint64_t)gdt && table.limit == sizeof gdt - 1, "SGDT shows the guest's table");
    __asm__ volatile("str %w0" : "+r"(value));
    hvt_check(value == TASK, "STR shows the guest's selector");
    __asm__ volatile("sldt %w0" : "+r"(value));
    hvt_check(value == 0, "SLDT shows none");
    __asm__ volatile("smsw %w0" : "+r"(value));
    hvt_check(value & 1, "SMSW shows PE");
}

/* Each instruction is behind the label that its handler is to return to. */
#define EXPECT(vector_, code_, what, ...)                                                                              \
    do {                                                                                                               \
        last.vector = 99;                                                                                              \
        __asm__ volatile("leaq 1f(%%rip), %%rax; movq %%rax, resume(%%rip); movq %%rsp, resume_rsp(%%rip); " __VA_ARGS__ \
                         "; 1:" : : : "rax", "rcx", "rdx", "r11", "memory");                                           \
        hvt_check(last.vector == (vector_), what);                                                                     \
        hvt_check(last.code == (code_), what ": its error code");                                                      \
        hvt_check(last.cs == CODE && last.ss == DATA, what ": selectors of ring 0");                                   \
    } while (0)

static void check_exceptions(void)
{
    EXPECT(6, 0, "UD2 is #UD", "ud2");
    EXPECT(0, 0, "a division by zero is #DE", "xorl %%ecx, %%ecx; xorl %%edx, %%edx; divl %%ecx");
    EXPECT(3, 0, "INT3 is #BP", "int3");
    EXPECT(14, 0, "a read of page 0 is #PF", "xorl %%eax, %%eax; movq 8(%%rax), %%rax");
    hvt_check(last.cr2 == 8, "CR2 is the address");
    EXPECT(14, 2, "a write beyond memory is #PF", "movq $0x400000010, %%rax; movb $0, (%%rax)");
    hvt_check(last.cr2 == 0x400000010, "CR2 is the address beyond");
    EXPECT(13, 0, "an address that is not canonical is #GP", "movq $0x1000000000000000, %%rax; movq (%%rax), %%rax");
    EXPECT(13, 0, "a read of no MSR is #GP", "movl $0x12345, %%ecx; rdmsr");
    EXPECT(13, 0x88, "a selector beyond the table is #GP", "movl $0x88, %%eax; movw %%ax, %%ss");
    EXPECT(6, 0, "SYSCALL without SCE is #UD", "syscall");
    EXPECT(6, 0, "a stack pointer of nothing does no harm", "movq $8, %%rsp; ud2");
    EXPECT(0x80, 0, "INT 0x80 is the guest's", "int $0x80");
}

/* Alignment is no matter at ring 0, whatever AC says; SSE and interrupts' masks are as ever. */
static void check_computing(void)
{
    uint64_t flags, word[3] = {1, 2, 3}, *odd = (uint64_t *)((char *)word + 1);
    __asm__ volatile("pushfq; pop %0; bts $18, %0; push %0; popfq" : "=&r"(flags) : : "cc", "memory");
    *(volatile uint64_t *)odd += 1;
    __asm__ volatile("pushfq; btrq $18, (%%rsp); popfq" : : : "cc", "memory");
    hvt_check(*odd != 0, "unaligned access with AC");
    __asm__ volatile("cli; sti; cli" : : : "memory");
    float in[4] __attribute__((aligned(16))) = {1, 2, 3, 4}, out[4] __attribute__((aligned(16)));
    __asm__ volatile("movaps %1, %%xmm0; mulps %%xmm0, %%xmm0; movaps %%xmm0, %0" : "=m"(out) : "m"(in));
    const uint32_t *bits = (const uint32_t *)out;
    hvt_check(bits[0] == 0x3f800000 && bits[3] == 0x41800000, "MULPS multiplies");
}

int hvt_main(const struct hvt_boot_info *info)
{
    const char *what = info->command_line;
    install_tables();
    if (hvt_equal(what, "hlt"))
        __asm__ volatile("hlt");
    if (hvt_equal(what, "cr3")) { /* tables of its own: a copy of the root */
        static uint64_t root[512] __attribute__((aligned(4096)));
        hvt_puts("before\n");
        root[0] = 0x3003;
        __asm__ volatile("mov %0, %%cr3" : : "r"(root));
        hvt_puts("behind\n");
        return 0;
    }
    if (hvt_equal(what, "user")) /* ring 3 of its own, by selectors that no host has a segment for */
        __asm__ volatile("pushq $0x6b; pushq %%rsp; pushfq; pushq $0x63; leaq 1f(%%rip), %%rax; pushq %%rax; iretq; 1:"
                         : : : "rax", "memory");
    if (hvt_equal(what, "data") || hvt_equal(what, "data-hlt")) { /* code among its variables: a RET */
        static volatile uint8_t code[16] = {0xc3};
        hvt_puts("before\n");
        ((void (*)(void))(uint64_t)code)();
        hvt_puts("behind\n");
        if (hvt_equal(what, "data-hlt"))
            __asm__ volatile("hlt");
        return 0;
    }
    if (hvt_equal(what, "stub")) /* where deprivileged guests have a stub; in ring 0 nothing */
        __asm__ volatile("movq $0x4000005000, %%rax; jmp *%%rax" : : : "rax");
    if (hvt_equal(what, "faults")) { /* for ever: only a stop from outside ends it */
        resume = (uint64_t)&&again;
    again:
        __asm__ volatile("movq %%rsp, resume_rsp(%%rip); ud2" : : : "memory");
    }
    check_registers();
    if (hvt_equal(what, "xsetbv"))
        write_xcr0();
    if (hvt_equal(what, "stores"))
        check_stores();
    check_exceptions();
    if (!hvt_equal(what, "no-sse"))
        check_computing();
    hvt_puts("hvt-privileged: ok\n");
    return 0;
}
