/*
 * identity.h: what the kernels share that look for a vendor's hypervisor: CPUID, MSRs, the TSC, and a list of what was right.
 *
 * Each check is a line, "ok" or "BAD" in front; done() ends the machine with 0 when all were right (status 1), else 3 (status 7).
 */
#ifndef GUEST_IDENTITY_H
#define GUEST_IDENTITY_H

#include "kernel.h"

struct leaf {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct leaf cpuid(uint32_t number)
{
    struct leaf leaf = {.eax = number};
    __asm__ volatile("cpuid" : "+a"(leaf.eax), "=b"(leaf.ebx), "+c"(leaf.ecx), "=d"(leaf.edx));
    return leaf;
}

static inline uint64_t read_msr(uint32_t index)
{
    uint64_t value;
    __asm__ volatile("rdmsr" : "=A"(value) : "c"(index));
    return value;
}

static inline void write_msr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" ::"A"(value), "c"(index) : "memory");
}

static inline uint64_t read_tsc(void)
{
    uint64_t value;
    __asm__ volatile("rdtsc" : "=A"(value));
    return value;
}

static int failures;

static inline void check(const char *what, int is_right)
{
    print(is_right ? "ok  " : "BAD ");
    print(what);
    put('\n');
    failures += !is_right;
}

_Noreturn static inline void done(void) { end(failures ? 3 : 0); }

static inline int has_hypervisor(void) { return cpuid(1).ecx >> 31; }

/* Whether the hypervisor's first leaf has this name of 12 letters. */
static inline int is_named(const char *name)
{
    struct leaf leaf = cpuid(0x40000000);
    const uint32_t words[] = {leaf.ebx, leaf.ecx, leaf.edx};
    for (int index = 0; index < 12; index++)
        if ((uint8_t)name[index] != (words[index / 4] >> 8 * (index % 4) & 0xff))
            return 0;
    return 1;
}

/* A pvclock's time from its scale: KVM's and Xen's (Linux, Documentation/virt/kvm/x86/msr.rst; xen/include/public/xen.h). */
struct clock {
    volatile uint32_t version;
    uint32_t pad;
    uint64_t tsc_timestamp, system_time;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, pad2[2];
};

static inline uint64_t clock_now(const struct clock *clock)
{
    uint64_t cycles = read_tsc() - clock->tsc_timestamp;
    cycles = clock->shift < 0 ? cycles >> -clock->shift : cycles << clock->shift;
    uint64_t low = (cycles & 0xffffffff) * clock->multiplier, high = (cycles >> 32) * clock->multiplier;
    return clock->system_time + high + (low >> 32);
}

/* Waits until a clock has gone on by that many ns, or has stood still for a long while. */
static inline int clock_goes(const struct clock *clock, uint64_t ns)
{
    uint64_t start = clock_now(clock);
    for (int turn = 0; turn < 100000; turn++)
        if (clock_now(clock) - start >= ns)
            return 1;
    return 0;
}

#endif
