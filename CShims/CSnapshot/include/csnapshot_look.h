/*
 * The registers in a saved vCPU that say how it translates addresses, for whoever walks its page tables.
 *
 * Read next: Sources/Snapshot/SavedPages.swift.
 */
#ifndef CSNAPSHOT_LOOK_H
#define CSNAPSHOT_LOOK_H

#include "csnapshot.h"

struct csnapshot_look {
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t rip, rsp;
    uint64_t cs;            /* the selector: its low two bits are the ring */
    uint64_t physical_bits; /* CPUID 0x80000008; 52 when it was not told */
};

/* `bytes` is a struct csnapshot_vcpu that makes sense. */
static inline struct csnapshot_look csnapshot_look(const void *bytes)
{
    const struct csnapshot_vcpu *s = bytes;
    struct csnapshot_look look = {
        s->sregs.cr0, s->sregs.cr2, s->sregs.cr3, s->sregs.cr4, s->sregs.efer,
        s->regs.rip, s->regs.rsp, s->sregs.cs.selector, 52};

    for (uint32_t i = 0; i < s->cpuid.count; i++) {
        if (s->cpuid.entries[i].function == 0x80000008)
            look.physical_bits = s->cpuid.entries[i].eax & 0xff;
    }
    return look;
}

#endif
