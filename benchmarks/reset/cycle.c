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

/* What the guest has written since the last look, page by page, is overwritten by what was there. */
static void copy_back(const struct clone *clone)
{
    struct kvm_dirty_log log = {.slot = 1, .dirty_bitmap = clone->log};
    check(ioctl(clone->vm, KVM_GET_DIRTY_LOG, &log), "KVM_GET_DIRTY_LOG");
    uint64_t words = ((clone->size - MEMORY_START) / PAGE + 63) / 64;
    for (uint64_t word = 0; word < words; word++)
        for (uint64_t bits = clone->log[word]; bits != 0; bits &= bits - 1) {
            uint64_t address = MEMORY_START + (word * 64 + (uint64_t)__builtin_ctzl(bits)) * PAGE;
            memcpy(clone->memory + address, clone->pristine + address, PAGE);
        }
}

void clone_reset(struct clone *clone, const struct method *method)
{
    struct kvm_run *run = clone->run;
    if (method->copies)
        copy_back(clone);
    else
        check(madvise(clone->memory, clone->size, MADV_DONTNEED), "MADV_DONTNEED");
    if (method->xsave)
        check(ioctl(clone->vcpu, KVM_SET_XSAVE, clone->state.xsave), "KVM_SET_XSAVE");
    run->s.regs.regs = clone->state.regs;
    run->s.regs.sregs = clone->state.sregs;
    run->kvm_dirty_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
}
