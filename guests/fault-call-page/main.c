/*
 * fault-call-page: a guest that unmaps its own call page faults when it makes its next call, in writing the
 * arguments. The VMM does not need the guest's mapping: the commit that makes the unmapping take effect is itself a
 * call.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    print("unmapping the call page\n");
    mmu_unmap(boot->call_page, PAGE_SIZE);
    mmu_commit();
    print("called\n");
    return 1;
}
