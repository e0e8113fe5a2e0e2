/*
 * large-image: 2 MiB of read-only data and what follows them are in memory as the file has them, copied or mapped; with
 * the argument "wait" it looks again after a line of input, and with "save" it says that it is ready before it has looked at all.
 */
#include "guest.h"

#define NUMBERS (1ul << 18)

extern const uint64_t numbers[NUMBERS + 3]; /* numbers.S: each its index */
static uint64_t zeros[3 * PAGE_SIZE];

static void look(void)
{
    for (uint64_t i = 0; i < NUMBERS + 3; i++)
        check(numbers[i] == i, "every number is its index");
    for (uint64_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
        check(zeros[i] == 0, "what the file does not have is zero");
}

/* The page is the guest's own: nobody's file changes. */
static void write_there(void)
{
    uint64_t page = (uint64_t)numbers & ~(PAGE_SIZE - 1);
    mmu_protect(page, PAGE_SIZE, MMU_WRITE);
    mmu_commit();
    ((volatile uint64_t *)numbers)[0] = 7;
    check(*(volatile const uint64_t *)numbers == 7, "it can be made writable");
    ((volatile uint64_t *)numbers)[0] = 0;
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    if (argument_is(0, "save"))
        call_snapshot();
    look();
    write_there();
    if (argument_is(0, "wait")) {
        char line[80];
        print("waiting\n");
        console_read(line, sizeof line);
    }
    look();
    print("large-image: ok\n");
    return 0;
}
