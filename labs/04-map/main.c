/*
 * 04-map: gives a page of memory a second address, the one on the command line. Task: README.md.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t address = argument_number(0, 0);
    volatile uint64_t *page = allocate(PAGE_SIZE);
    page[0] = 42;
    print("physical 0x%lx\n", (uint64_t)page);
    /* Here `address` should become a name of the same page. */
    check(*(volatile uint64_t *)address == 42, "both addresses are the same memory");
    return 0;
}
