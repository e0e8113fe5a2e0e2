/*
 * first: when a guest gets to work. Prints nanoseconds from the start of its clock (when the VMM built the machine) to the
 * first thing that main does; or, with so many MiB as its argument, which it fills before it says that it is ready, to the
 * first thing that it does then: that is what a restored guest does first. `swiftlet bench startup` places it between the
 * phases of a start or a restore.
 */
#include "guest.h"

static void fill(uint64_t mebibytes)
{
    uint64_t words = mebibytes << 17;
    uint64_t *memory = allocate(words * sizeof *memory);
    for (uint64_t i = 0; i < words; i++)
        memory[i] = i * 0x9e3779b97f4a7c15 + 1;
}

int main(const struct swiftlet_boot_info *boot)
{
    uint64_t now = clock_now();
    (void)boot;
    uint64_t mebibytes = argument_number(0, 0);
    if (mebibytes > 0) {
        fill(mebibytes);
        call_snapshot();
        now = clock_now();
    }
    print("first-instruction %lu\n", now);
    return 0;
}
