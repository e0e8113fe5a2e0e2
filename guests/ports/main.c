/*
 * ports: what an exit costs. Makes the cheapest call N times (argument; 1000): POLL with a deadline that has passed and
 * no events to look for. Prints TSC cycles for each round trip: the median of single samples up to 10,000 calls, the
 * mean beyond. With a second argument, `samples`, all of them in one line, and the TSC's frequency (Hz) before it.
 * `swiftlet bench` reads these lines.
 */
#include "guest.h"

static int64_t samples[NUMBERS_MAXIMUM];

/* Shell sort: no recursion, no memory, and quick enough for ten thousand. */
static void sort(int64_t *values, uint64_t count)
{
    for (uint64_t gap = count / 2; gap > 0; gap /= 2)
        for (uint64_t i = gap; i < count; i++)
            for (uint64_t j = i; j >= gap && values[j - gap] > values[j]; j -= gap) {
                int64_t larger = values[j - gap];
                values[j - gap] = values[j];
                values[j] = larger;
            }
}

static void sample(uint64_t calls)
{
    for (uint64_t i = 0; i < calls; i++) {
        uint64_t start = clock_cycles();
        call_poll(0, 0);
        samples[i] = (int64_t)(clock_cycles() - start);
    }
}

static uint64_t median(uint64_t calls)
{
    sample(calls);
    sort(samples, calls);
    return (uint64_t)samples[calls / 2];
}

static uint64_t mean(uint64_t calls)
{
    uint64_t start = clock_cycles();
    for (uint64_t i = 0; i < calls; i++)
        call_poll(0, 0);
    return (clock_cycles() - start) / calls;
}

int main(const struct swiftlet_boot_info *boot)
{
    uint64_t calls = argument_number(0, 1000);
    check(calls > 0, "at least one call was asked for");
    if (argument_is(1, "samples")) {
        check(calls <= NUMBERS_MAXIMUM, "at most 10000 samples were asked for");
        sample(calls);
        print("frequency %lu\n", boot->tsc_frequency);
        print_numbers("cycles", samples, calls);
        return 0;
    }
    print("cycles-per-exit %lu\n", calls <= NUMBERS_MAXIMUM ? median(calls) : mean(calls));
    return 0;
}
