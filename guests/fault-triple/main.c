/*
 * fault-triple: a fault whose delivery faults, as does that of the double fault that follows, is a triple fault and
 * shuts the CPU down. Here the page with the IDT is not mapped any more. The machine stops with a report, and does
 * not start anew.
 */
#include "guest.h"

#define MACHINE_IDT 0x2000 /* docs/ABI.md: the machine's own pages */

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("unmapping the IDT\n");
    mmu_unmap(MACHINE_IDT, PAGE_SIZE);
    mmu_commit();
    __asm__ volatile("ud2");
    print("went on\n");
    return 1;
}
