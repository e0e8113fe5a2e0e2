/*
 * The call page: one 4 KiB page for each vCPU, shared by guest and VMM while the guest runs.
 *
 * It holds the arguments of the call being made, the clock that costs no exit, and the two words that stand in for
 * the interrupt flag (cli and sti are privileged). Its address is in boot info. Read next: swiftlet_calls.h.
 */
#ifndef SWIFTLET_CALL_PAGE_H
#define SWIFTLET_CALL_PAGE_H

#define SWIFTLET_CALL_ARGUMENTS 0x000
#define SWIFTLET_CALL_ARGUMENTS_SIZE 0x100
#define SWIFTLET_CALL_PAGE_CLOCK 0x100
#define SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED 0x120
#define SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING 0x124
#define SWIFTLET_CALL_PAGE_GENERATION 0x128
#define SWIFTLET_CALL_PAGE_CLONE 0x12c
#define SWIFTLET_CALL_PAGE_ENTROPY 0x130
#define SWIFTLET_CALL_PAGE_CLONES 0x150
#define SWIFTLET_CALL_PAGE_VCPU 0x154
#define SWIFTLET_CALL_PAGE_ADDRESS 0x158

#define SWIFTLET_CLOCK_STABLE 1 /* flags: the TSC rate is constant and equal on all vCPUs */

#ifndef __ASSEMBLER__
#include <stdint.h>

/*
 * pvclock's layout (Linux, Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW), so that code written for it
 * works. Nanoseconds since the machine started are
 *     delta = rdtsc - tsc_timestamp;  delta <<= tsc_shift (or >>= -tsc_shift);
 *     system_time + ((delta * tsc_to_system_mul) >> 32)
 * An odd version means that an update is under way. It is written before the start and at each restore from a snapshot,
 * where the version grows: a guest that may be snapshotted at any time reads it before and after, as pvclock demands.
 */
struct swiftlet_clock {
    uint32_t version;
    uint32_t pad0;
    uint64_t tsc_timestamp;
    uint64_t system_time; /* ns */
    uint32_t tsc_to_system_mul;
    int8_t tsc_shift;
    uint8_t flags; /* SWIFTLET_CLOCK_... */
    uint8_t pad[2];
};

struct swiftlet_call_page {
    uint8_t arguments[SWIFTLET_CALL_ARGUMENTS_SIZE]; /* the struct of the call being made */
    struct swiftlet_clock clock;
    /* Non-zero: the VMM injects no interrupt. It sets 1 itself when it injects one, as a CPU clears IF. */
    uint32_t interrupts_masked;
    /* Set to 1 by the VMM when an interrupt waits for the mask, to 0 when it is injected or the timer set anew: after unmasking, a guest that reads 1 here makes a
     * call (SWIFTLET_CALL_POLL with a deadline that has passed will do) to have it delivered. */
    uint32_t interrupts_pending;
    uint32_t generation; /* how many restores and resets lie behind this guest: 0 at the start */
    uint32_t clone;      /* its number among its snapshot's clones that are alive, from 0; 0 in any other guest */
    uint8_t entropy[32]; /* fresh from the host's generator at each restore; zero at the start, when boot info has some */
    uint32_t clones;     /* how many clones were asked for together (`swiftlet clone -n`); 0 in any other guest */
    uint32_t vcpu;       /* the vCPU's number, from 0 */
    uint64_t address;    /* this page's address, which is the base of GS, too */
};

_Static_assert(sizeof(struct swiftlet_clock) == 32, "pvclock's layout");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, clock) == SWIFTLET_CALL_PAGE_CLOCK, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, interrupts_masked) == SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, interrupts_pending) == SWIFTLET_CALL_PAGE_INTERRUPTS_PENDING, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, generation) == SWIFTLET_CALL_PAGE_GENERATION, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, clone) == SWIFTLET_CALL_PAGE_CLONE, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, entropy) == SWIFTLET_CALL_PAGE_ENTROPY, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, clones) == SWIFTLET_CALL_PAGE_CLONES, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, vcpu) == SWIFTLET_CALL_PAGE_VCPU, "part of the ABI");
_Static_assert(__builtin_offsetof(struct swiftlet_call_page, address) == SWIFTLET_CALL_PAGE_ADDRESS, "part of the ABI");
#endif

#endif
