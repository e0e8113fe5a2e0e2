/*
 * fault-call-page: a guest that unmaps its own call page faults when it makes its next call, in asking the page for its
 * address. The VMM does not need the guest's mapping: the commit that makes the unmapping take effect is itself a
 * call.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    print("unmapping the call page\n");
    /* The commit's argument first: an edit may be seen before its commit, and then not even that can be written. */
    *CALL_ARGUMENTS(struct swiftlet_commit) = (struct swiftlet_commit){.root = 0};
    mmu_unmap(boot->call_page, PAGE_SIZE);
    call(SWIFTLET_CALL_COMMIT);
    print("called\n");
    return 1;
}
