/*
 * no-apic: a guest may map the address of a local APIC, and finds none there: it reads as all ones, and what is written is
 * lost. So a guest cannot interrupt or reset itself but by the calls, and its timer is the only source of interrupts.
 */
#include "guest.h"

#define LOCAL_APIC 0xfee00000ul
#define ID (0x20 / 4)
#define INTERRUPT_COMMAND (0x300 / 4)
#define SELF_NMI 0x44400 /* shorthand self, NMI (Intel SDM vol. 3A, 11.6.1) */

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    mmu_map(LOCAL_APIC, LOCAL_APIC, PAGE_SIZE, MMU_WRITE);
    volatile uint32_t *apic = (volatile uint32_t *)LOCAL_APIC;
    check(apic[ID] == 0xffffffff, "nothing answers");
    apic[INTERRUPT_COMMAND] = SELF_NMI;
    check(apic[INTERRUPT_COMMAND] == 0xffffffff, "nothing is kept");
    print("no-apic: ok\n");
    return 0;
}
