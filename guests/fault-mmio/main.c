/*
 * fault-mmio: a guest may map any guest-physical address, but behind some there is no memory and no device; touching
 * one stops the machine, and the report names the address.
 */
#include "guest.h"

#define NOWHERE 0xd0000000ul /* in the hole from 3 to 4 GiB, which never has memory */

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    mmu_map(NOWHERE, NOWHERE, PAGE_SIZE, MMU_WRITE);
    print("reading where there is no memory\n");
    print("it is %u\n", *(volatile uint32_t *)NOWHERE);
    return 1;
}
