/*
 * first: when a guest gets to work. Prints nanoseconds from the start of its clock (when the VMM built the machine) to the
 * first thing that main does. `swiftlet bench startup` places it between the phases of a start.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    uint64_t now = clock_now();
    (void)boot;
    print("first-instruction %lu\n", now);
    return 0;
}
