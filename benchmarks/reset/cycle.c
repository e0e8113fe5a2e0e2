/*
 * The cycle: memory and registers as they were in the snapshot, then the guest to its exit.
 *
 * Registers go in with KVM_RUN itself (KVM API, section 5, kvm_dirty_regs): one system call less for each kind. Read next:
 * ../../Sources/swiftlet-bench/Memory/ResetRows.swift.
 */
#include "reset.h"

#include "swiftlet_abi.h"

/* Address of the call page: Sources/X86/AddressMap.swift. */
#define CALL_PAGE 0x20000ul

void clone_run(const struct clone *clone)
{
    const struct kvm_run *run = clone->run;
    check(ioctl(clone->vcpu, KVM_RUN, 0), "KVM_RUN");
    struct swiftlet_exit exit;
    memcpy(&exit, clone->memory + CALL_PAGE, sizeof exit);
    errno = EPROTO;
    if (run->exit_reason != KVM_EXIT_IO || run->io.port != SWIFTLET_CALL_PORT + SWIFTLET_CALL_EXIT || exit.status != 0)
        fail("another exit than the guest's with status 0");
}

static void copy_page(const struct clone *clone, uint64_t address)
{
    memcpy(clone->memory + address, clone->pristine + address, PAGE);
}

/* What the guest has ever written. */
static void copy_own_pages(const struct clone *clone)
{
    struct cclone_run runs[512];
    uint64_t next = (uint64_t)clone->memory + MACHINE_START, end = (uint64_t)clone->memory + clone->size;
    while (next < end) {
        long found = cclone_scan(clone->pagemap, &next, end, runs, 512);
        errno = (int)-found;
        if (found < 0)
            fail("PAGEMAP_SCAN");
        for (long i = 0; i < found; i++)
            for (uint64_t page = runs[i].start; page < runs[i].end; page += PAGE)
                copy_page(clone, page - (uint64_t)clone->memory);
    }
}

/* What the guest has written since the last look. */
static void copy_logged_pages(const struct clone *clone)
{
    struct kvm_dirty_log log = {.slot = 1, .dirty_bitmap = clone->log};
    check(ioctl(clone->vm, KVM_GET_DIRTY_LOG, &log), "KVM_GET_DIRTY_LOG");
    uint64_t words = ((clone->size - MEMORY_START) / PAGE + 63) / 64;
    for (uint64_t word = 0; word < words; word++)
        for (uint64_t bits = clone->log[word]; bits != 0; bits &= bits - 1)
            copy_page(clone, MEMORY_START + (word * 64 + (uint64_t)__builtin_ctzl(bits)) * PAGE);
}

void clone_reset(struct clone *clone, const struct method *method)
{
    struct kvm_run *run = clone->run;
    switch (method->finds) {
    case NOTHING: check(madvise(clone->memory, clone->size, MADV_DONTNEED), "MADV_DONTNEED"); break;
    case LOG: copy_logged_pages(clone); break;
    case SCAN: copy_own_pages(clone); break;
    }
    if (method->xsave)
        check(ioctl(clone->vcpu, KVM_SET_XSAVE, clone->state.xsave), "KVM_SET_XSAVE");
    run->s.regs.regs = clone->state.regs;
    run->s.regs.sregs = clone->state.sregs;
    run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
}
