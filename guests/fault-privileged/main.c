/*
 * fault-privileged: a guest is at CPL 3, so that HLT, with which a ring-0 kernel idles, is a general protection
 * fault. SWIFTLET_CALL_POLL is a guest's idle.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("executing hlt\n");
    __asm__ volatile("hlt");
    print("went on\n");
    return 1;
}
