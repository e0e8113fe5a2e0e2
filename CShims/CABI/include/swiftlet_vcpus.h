/*
 * Several vCPUs (swiftlet run --cpus N): the call by which one starts another. docs/ABI.md, "several vCPUs".
 *
 * How many there are is boot info's vcpu_count; each has a call page, SWIFTLET_CALL_PAGE_STRIDE behind the one before.
 */
#ifndef SWIFTLET_VCPUS_H
#define SWIFTLET_VCPUS_H

#define SWIFTLET_CALL_START_VCPU 48

#define SWIFTLET_CALL_PAGE_STRIDE 0x2000 /* from a vCPU's to the next one's */

#ifndef __ASSEMBLER__
#include <stdint.h>

/* Starts another vCPU of the machine, once: in the mode and with the page tables of the one that calls, with RDI the argument,
 * RSI its number, all other registers 0, and the address of its call page as the base of GS. */
struct swiftlet_start_vcpu {
    uint64_t vcpu;     /* 1 to boot info's vcpu_count - 1 */
    uint64_t entry;    /* guest-virtual */
    uint64_t stack;    /* guest-virtual; where a C function starts, 8 less than a multiple of 16 */
    uint64_t argument;
};

_Static_assert(sizeof(struct swiftlet_start_vcpu) == 32, "part of the ABI");
#endif

#endif
