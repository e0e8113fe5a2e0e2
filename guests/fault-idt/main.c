/*
 * fault-idt: a guest cannot change how the machine reports its faults. The IDT's page is the supervisor's, so that
 * writing to it faults; and mapping it for itself (argument "mapped") does not help, because the memory under it is
 * read-only.
 */
#include "guest.h"

#define MACHINE_IDT 0x2000 /* docs/ABI.md: the machine's own pages */

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    if (argument_is(0, "mapped")) {
        mmu_protect(MACHINE_IDT, PAGE_SIZE, MMU_WRITE);
        mmu_commit();
    }
    print("writing to the IDT\n");
    *(volatile uint64_t *)(uint64_t)MACHINE_IDT = 0;
    print("wrote it\n");
    return 1;
}
