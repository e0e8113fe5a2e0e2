/*
 * The C twin of a pool: one machine, made from a snapshot's file as a C programmer would make it, is reset and run again and
 * again. The floor that Swiftlet's clones and pools are measured against.
 *
 * It maps the file that `swiftlet run --snapshot` wrote, copy-on-write, and gives the vCPU the state in it (csnapshot.h is
 * both programs' only word on the format). Then a cycle is: put back memory and registers, KVM_RUN until the guest exits.
 * What more a pool owes its guests (a clock that is right, fresh entropy, a thread that can be stopped) it does not.
 * Read next: main.c, then machine.c, cycle.c.
 */
#ifndef RESET_H
#define RESET_H

#include <stdbool.h>
#include <stdint.h>

#include "cclone.h"

#define PAGE 0x1000ul
/* Sources/X86/AddressMap.swift */
#define MACHINE_START 0x1000ul
#define MACHINE_END 0x7000ul
#define MEMORY_START 0x10000ul

/* What is put back, and how it is found. */
enum search {
    NOTHING, /* discard: all memory goes by MADV_DONTNEED */
    LOG,     /* copy: pages that KVM's dirty log names are copied back */
    SCAN,    /* scan: pages that the kernel says are no longer the file's are copied back, and stay mapped (PAGEMAP_SCAN) */
};
struct method {
    const char *name;
    enum search finds;
    bool xsave; /* vector registers too, by KVM_SET_XSAVE: sync regs do not carry them */
};

struct clone {
    uint8_t *memory;         /* guest-physical 0, the file below it */
    const uint8_t *pristine; /* the same, never written: where copies come from */
    uint64_t size;
    uint64_t *log; /* a bit for each page from MEMORY_START on */
    int vm, vcpu, pagemap;
    struct kvm_run *run;
    struct csnapshot_vcpu state;
};

_Noreturn void fail(const char *step);
int check(int result, const char *step);

/* machine.c */
void clone_make(struct clone *clone, const char *path, enum search search);

/* cycle.c */
void clone_run(const struct clone *clone); /* to the guest's exit with status 0 */
void clone_reset(struct clone *clone, const struct method *method);

#endif
