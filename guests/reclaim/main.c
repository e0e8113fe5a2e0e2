/*
 * reclaim: pages given back to the host read as zeros, their neighbours keep what they hold, and they are memory as ever.
 * With the argument "save" it says that it is ready before and after each: a guest that was made from a file gives back what
 * the file holds.
 */
#include "guest.h"

#define PAGES 1024ul /* two huge pages, and neither end on a boundary of one */

static uint64_t *word(uint8_t *memory, uint64_t page)
{
    return (uint64_t *)(memory + page * PAGE_SIZE);
}

static void fill(uint8_t *memory)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        word(memory, page)[0] = page + 1;
        word(memory, page)[511] = ~page;
    }
}

/* Pages [first, last) are zero and all others are as fill left them. */
static void check_hole(uint8_t *memory, uint64_t first, uint64_t last)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        bool is_gone = page >= first && page < last;
        check(word(memory, page)[0] == (is_gone ? 0 : page + 1), "the first word is zero in the hole only");
        check(word(memory, page)[511] == (is_gone ? 0 : ~page), "and so is the last");
    }
}

int main(const struct swiftlet_boot_info *boot)
{
    if (argument_is(0, "outside"))
        call_reclaim((void *)boot->memory_size, PAGE_SIZE);
    if (argument_is(0, "unaligned"))
        call_reclaim((void *)(boot->image_start + PAGE_SIZE / 2), PAGE_SIZE);
    uint8_t *memory = allocate(PAGES * PAGE_SIZE);
    static const uint64_t holes[][2] = {{0, 0}, {0, 1}, {7, 9}, {1, 700}, {500, 1024}, {0, PAGES}};
    for (unsigned i = 0; i < sizeof holes / sizeof holes[0]; i++) {
        fill(memory);
        if (argument_is(0, "save"))
            call_snapshot();
        call_reclaim(memory + holes[i][0] * PAGE_SIZE, (holes[i][1] - holes[i][0]) * PAGE_SIZE);
        if (argument_is(0, "save"))
            call_snapshot();
        check_hole(memory, holes[i][0], holes[i][1]);
    }
    fill(memory);
    check_hole(memory, 0, 0);
    print("reclaim: ok\n");
    return 0;
}
