/*
 * 01-first: a guest that greets its reader. Task: README.md.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("Hello.\n");
    return 0;
}
