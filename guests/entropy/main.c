/*
 * entropy: the host's random numbers reach the guest, as the seed in boot info and by a call, up to its limit.
 */
#include "guest.h"

static bool all_zero(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum |= bytes[i];
    return sum == 0;
}

int main(const struct swiftlet_boot_info *boot)
{
    static uint8_t first[SWIFTLET_ENTROPY_MAX], second[SWIFTLET_ENTROPY_MAX];
    check(!all_zero(boot->entropy_seed, sizeof boot->entropy_seed), "the seed is not zero");
    call_entropy(first, sizeof first);
    call_entropy(second, sizeof second);
    check(!all_zero(first, sizeof first), "a read is not zero");
    check(memcmp(first, second, sizeof first) != 0, "two reads differ");
    check(memcmp(first, boot->entropy_seed, sizeof boot->entropy_seed) != 0, "a read is not the seed");

    /* As long as asked, not longer: the second half stays. */
    memset(first, 0, sizeof first);
    call_entropy(first, sizeof first / 2);
    check(!all_zero(first, sizeof first / 2), "a short read fills its buffer");
    check(all_zero(first + sizeof first / 2, sizeof first / 2), "a short read fills no more than its buffer");
    print("entropy: ok\n");
    return 0;
}
