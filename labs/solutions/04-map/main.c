/*
 * 04-map, solved: an entry in each of four tables (mmu_map makes what is missing). It needs no commit, since nothing was mapped
 * there before. The end by an illegal instruction makes the core in which the check walks.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t address = argument_number(0, 0);
    volatile uint64_t *page = allocate(PAGE_SIZE);
    page[0] = 42;
    print("physical 0x%lx\n", (uint64_t)page);
    mmu_map(address, (uint64_t)page, PAGE_SIZE, MMU_WRITE);
    check(*(volatile uint64_t *)address == 42, "both addresses are the same memory");
    __asm__ volatile("ud2");
    return 0;
}
