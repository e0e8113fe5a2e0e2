/*
 * primes: pure computing, no exit while it lasts: the sieve of Eratosthenes over LIMIT numbers, ROUNDS times
 * (arguments; 1000000 and 1). A guest must need the same cycles as a process: `make native` builds that.
 */
#include "guest.h"

/* One byte for each odd number: number n is at n / 2. Returns how many primes there are below limit. */
static uint64_t sieve(uint8_t *composite, uint64_t limit)
{
    memset(composite, 0, limit / 2);
    for (uint64_t n = 3; n * n < limit; n += 2)
        if (!composite[n / 2])
            for (uint64_t multiple = n * n; multiple < limit; multiple += 2 * n)
                composite[multiple / 2] = 1;

    uint64_t primes = limit > 2; /* 2 itself */
    for (uint64_t n = 3; n < limit; n += 2)
        primes += !composite[n / 2];
    return primes;
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t limit = argument_number(0, 1000000), rounds = argument_number(1, 1);
    uint8_t *composite = allocate(limit / 2 + 1);
    uint64_t primes = 0, start = clock_cycles();
    for (uint64_t round = 0; round < rounds; round++)
        primes += sieve(composite, limit);
    uint64_t cycles = clock_cycles() - start;
    print("checksum %lu\ncycles %lu\n", primes, cycles);
    return 0;
}
