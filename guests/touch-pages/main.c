/*
 * touch-pages: says that it is ready, then writes a word to each of so many pages as its argument says (10 without one), and
 * ends; with "stay" behind the number it says so and sleeps. What a clone and its reset cost is measured with it: all those
 * pages have content when it is ready, so that they are the snapshot's.
 */
#include "guest.h"

#define WORDS (PAGE_SIZE / sizeof(uint64_t))

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t pages = argument_number(0, 10);
    volatile uint64_t *memory = allocate(pages * PAGE_SIZE);
    for (uint64_t page = 0; page < pages; page++)
        memory[page * WORDS] = page + 1;
    call_snapshot();
    for (uint64_t page = 0; page < pages; page++) {
        if (memory[page * WORDS] != page + 1)
            return 1; /* what an earlier run has written: it was not reset */
        memory[page * WORDS] = 0;
    }
    if (argument_is(1, "stay")) {
        print("touched\n");
        sleep_until(SWIFTLET_NO_DEADLINE - 1);
    }
    return 0;
}
