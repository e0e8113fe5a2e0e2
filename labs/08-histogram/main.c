/*
 * 08-histogram: says what is usual among many numbers, and gets it wrong: a mean is not a median. Task: README.md.
 */
#include "guest.h"

#define MAXIMUM 1000u

static uint64_t samples[MAXIMUM];

static void report(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += samples[i];
    print("mean %lu\n", sum / count);
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    unsigned count = 0;
    while (count < MAXIMUM && (samples[count] = argument_number(count + 1, 0)) != 0)
        count++;
    check(argument_is(0, "report") && count > 0, "guest.elf report NUMBER...");
    report(count);
    return 0;
}
