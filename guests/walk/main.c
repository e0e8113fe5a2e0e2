/*
 * walk: follows STEPS links at random through MIB MiB (arguments; 16 and 1000000). Every step is a cache miss and,
 * through more memory than the TLB knows, a page walk: under nested paging a walk of walks.
 *
 * The links form one cycle over all cache lines (Sattolo's algorithm with a fixed seed), so the checksum is the same
 * everywhere and no line is met twice before all were.
 */
#include "guest.h"

struct line {
    uint64_t next; /* index */
    uint64_t padding[7];
};

/* xorshift64 (Marsaglia, 2003). */
static uint64_t random_number(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void link_randomly(struct line *lines, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        lines[i].next = i;
    for (uint64_t i = count - 1; i > 0; i--) {
        uint64_t other = random_number() % i;
        uint64_t next = lines[i].next;
        lines[i].next = lines[other].next;
        lines[other].next = next;
    }
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t size = argument_number(0, 16) << 20, steps = argument_number(1, 1000000);
    struct line *lines = allocate(size);
    link_randomly(lines, size / sizeof *lines);

    uint64_t at = 0, checksum = 0, start = clock_cycles();
    for (uint64_t step = 0; step < steps; step++) {
        at = lines[at].next;
        checksum += at;
    }
    uint64_t cycles = clock_cycles() - start;
    print("checksum %lu\ncycles %lu\n", checksum, cycles);
    return 0;
}
