/*
 * touch: says that it is ready, then writes a word in as many pages as its argument says (10 without one), and exits. What
 * the reset of a clone costs is measured with it. A second argument N has it fill N pages before.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t count = argument_number(0, 10), filled = argument_number(1, count);
    uint64_t pages = (uint64_t)allocate((count > filled ? count : filled) * PAGE_SIZE);
    for (uint64_t i = 0; i < filled; i++)
        *(volatile uint64_t *)(pages + i * PAGE_SIZE) = i + 1;
    call_snapshot();
    for (uint64_t i = 0; i < count; i++)
        *(volatile uint64_t *)(pages + i * PAGE_SIZE) = 0;
    return 0;
}
