/*
 * ports: what an exit costs. Makes the cheapest call N times (argument; 1000): POLL with a deadline that has passed and
 * no events to look for. Prints TSC cycles for each round trip: the median of single samples up to 10,000 calls, the
 * mean beyond. benchmarks/ reads that line.
 */
#include "guest.h"

#define MAXIMUM_SAMPLES 10000

/* Shell sort: no recursion, no memory, and quick enough for ten thousand. */
static void sort(uint64_t *values, uint64_t count)
{
    for (uint64_t gap = count / 2; gap > 0; gap /= 2)
        for (uint64_t i = gap; i < count; i++)
            for (uint64_t j = i; j >= gap && values[j - gap] > values[j]; j -= gap) {
                uint64_t larger = values[j - gap];
                values[j - gap] = values[j];
                values[j] = larger;
            }
}

static uint64_t median(uint64_t calls)
{
    static uint64_t samples[MAXIMUM_SAMPLES];
    for (uint64_t i = 0; i < calls; i++) {
        uint64_t start = clock_cycles();
        call_poll(0, 0);
        samples[i] = clock_cycles() - start;
    }
    sort(samples, calls);
    return samples[calls / 2];
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
    (void)boot;
    uint64_t calls = argument_number(0, 1000);
    check(calls > 0, "at least one call was asked for");
    print("cycles-per-exit %lu\n", calls <= MAXIMUM_SAMPLES ? median(calls) : mean(calls));
    return 0;
}
