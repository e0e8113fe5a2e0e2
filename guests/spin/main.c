/*
 * spin: never exits and never calls, so that only the VMM can end it (--timeout, a signal).
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    for (;;)
        __builtin_ia32_pause();
}
