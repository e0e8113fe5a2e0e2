/*
 * fault-non-canonical: an address whose upper 17 bits differ names no memory at all; the CPU says so by a general
 * protection fault and not by a page fault.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t address = 0x8000000000000000;
    print("reading %lx\n", address);
    return *(volatile uint8_t *)address;
}
