/*
 * 08-histogram, solved: percentiles by nearest rank, of given numbers or of the time that a call takes.
 */
#include "guest.h"

#define MAXIMUM 1000u

static uint64_t samples[MAXIMUM];

static void sort(unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint64_t sample = samples[i];
        unsigned place = i;
        for (; place > 0 && samples[place - 1] > sample; place--)
            samples[place] = samples[place - 1];
        samples[place] = sample;
    }
}

/* The smallest sample that at least `percent` of all are not above. */
static uint64_t percentile(unsigned count, unsigned percent)
{
    return samples[(count * percent + 99) / 100 - 1];
}

static unsigned given(void)
{
    unsigned count = 0;
    while (count < MAXIMUM && (samples[count] = argument_number(count + 1, 0)) != 0)
        count++;
    return count;
}

static unsigned measured(void)
{
    unsigned count = (unsigned)argument_number(1, 0);
    check(count <= MAXIMUM, "at most 1000 samples");
    for (unsigned i = 0; i < count; i++) {
        uint64_t start = clock_now();
        call_poll(0, 0);
        samples[i] = clock_now() - start;
    }
    return count;
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    unsigned count = argument_is(0, "measure") ? measured() : given();
    check(count > 0, "guest.elf report NUMBER... | measure COUNT");
    sort(count);
    print("p50 %lu p99 %lu\n", percentile(count, 50), percentile(count, 99));
    return 0;
}
