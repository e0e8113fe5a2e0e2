/*
 * What resetting a clone needs of C: KVM's structs moved whole, page-table pages compared, the kernel's page scan.
 *
 * All run between two lives of a clone, while its vCPU stands still. Functions return their result or -errno.
 * Read next: Sources/Snapshot/Clones/Clone.swift.
 */
#ifndef CCLONE_H
#define CCLONE_H

#include "csnapshot.h"

/*
 * Finishes the exit under way without running the guest (KVM_RUN with immediate_exit). A pending OUT would otherwise be
 * completed behind the registers that the next life begins with: KVM loads those first. A string instruction has an exit
 * for each element: one that goes on is given up (EBUSY).
 *
 * On the way CR4.PGE is turned the other way round; loading the next life's registers turns it back: either flushes what
 * the CPU, or a KVM that shadows page tables, has cached of the guest's own edits (Intel SDM vol. 3A, 4.10.4.1).
 *
 * Returns 1 when an interrupt that KVM was given may still wait in it, where no state of KVM's shows it; or -errno.
 */
static inline int cclone_finish(int vcpu, uintptr_t page, const void *bytes)
{
    struct kvm_run *run = (struct kvm_run *)page;
    int result = 0;
    run->s.regs.sregs = ((const struct csnapshot_vcpu *)bytes)->sregs;
    run->s.regs.sregs.cr4 ^= 1u << 7;
    run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
    for (int i = 0; i < 16 && result == 0; i++) {
        run->immediate_exit = 1;
        result = ioctl(vcpu, KVM_RUN, 0) < 0 ? errno : 0;
    }
    run->immediate_exit = 0;
    if (result != EINTR)
        return result == 0 ? -EBUSY : -result;
    return run->ready_for_interrupt_injection == 0;
}

/* The registers of the next life, which the next KVM_RUN loads (KVM API, section 5: kvm_dirty_regs). */
static inline void cclone_stage_registers(uintptr_t page, const void *bytes)
{
    const struct csnapshot_vcpu *s = bytes;
    struct kvm_run *run = (struct kvm_run *)page;
    run->s.regs.regs = s->regs;
    run->s.regs.sregs = s->sregs;
    run->s.regs.events = s->events;
    run->s.regs.events.flags &=
        KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_PAYLOAD;
    run->kvm_valid_regs = KVM_SYNC_X86_REGS;
    run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
}

/* x87, SSE, AVX, AVX-512: all of it, so that what one life leaves there never reaches the next. */
static inline struct csnapshot_failure cclone_load_vectors(int vcpu, const void *bytes)
{
    const struct csnapshot_vcpu *s = bytes;
    CSNAPSHOT_STEP(12, vcpu, KVM_SET_XSAVE, &s->xsave);
    return (struct csnapshot_failure){0, 0};
}

static inline uint64_t cclone_root(const void *bytes)
{
    return ((const struct csnapshot_vcpu *)bytes)->sregs.cr3 & 0x000ffffffffff000u;
}

/* Whether two page-table pages differ in more than accessed and dirty bits (5 and 6), which the CPU sets. */
static inline int cclone_tables_differ(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    uint64_t bits = 0;
    for (int i = 0; i < 512; i++)
        bits |= x[i] ^ y[i];
    return (bits & ~(uint64_t)0x60) != 0;
}

/*
 * Pages of a private mapping that are its own: written since they were mapped. ioctl PAGEMAP_SCAN on /proc/self/pagemap
 * (Linux 6.7, Documentation/admin-guide/mm/pagemap.rst), by numbers, because headers of 6.1 lack it. Fills up to count
 * runs from start on; start is moved behind them. Runs found, or -errno.
 */
struct cclone_run {
    uint64_t start, end, categories;
};
static inline long cclone_scan(int pagemap, uint64_t *start, uint64_t end, struct cclone_run *runs, uint64_t count)
{
    const uint64_t file = 0x4, present = 0x8, swapped = 0x10, zero = 0x20;
    struct {
        uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
        uint64_t inverted, mask, anyof, returned;
    } scan;
    memset(&scan, 0, sizeof scan);
    scan.size = sizeof scan;
    scan.start = *start;
    scan.end = end;
    scan.vec = (uintptr_t)runs;
    scan.vec_len = count;
    scan.inverted = scan.mask = file | zero;
    scan.anyof = present | swapped;
    scan.returned = present;
    long found = ioctl(pagemap, _IOWR('f', 16, scan), &scan);
    *start = scan.walk_end;
    return found < 0 ? -errno : found;
}

/* The same from the page map itself, an entry of 8 bytes a page: bit 63 present, 62 swapped, 61 a file's page. */
static inline long cclone_read(int pagemap, uint64_t *start, uint64_t end, struct cclone_run *runs, uint64_t count)
{
    uint64_t entries[512], found = 0;
    while (*start < end && found < count) {
        uint64_t pages = (end - *start) / 4096 < 512 ? (end - *start) / 4096 : 512;
        ssize_t size = pread(pagemap, entries, pages * 8, (off_t)(*start / 4096 * 8));
        if (size <= 0)
            return size < 0 ? -errno : -EIO;
        for (ssize_t i = 0; i < size / 8 && found < count; i++, *start += 4096) {
            if (!(entries[i] >> 62) || (entries[i] >> 61 & 1))
                continue;
            if (found > 0 && runs[found - 1].end == *start)
                runs[found - 1].end += 4096;
            else
                runs[found++] = (struct cclone_run){*start, *start + 4096, 0};
        }
    }
    return (long)found;
}

/* A thread of the library's takes no signal of the program's; kicks are not for it either. */
static inline void cclone_block_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL); /* the calling thread's: Linux has no other */
}

#endif
