/*
 * sleep: idles for as many milliseconds as its argument says (10 without one), without using the host's CPU.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t milliseconds = argument_number(0, 10);
    uint64_t deadline = clock_now() + milliseconds * MILLISECONDS;
    sleep_until(deadline);
    check(clock_now() >= deadline, "a sleep is not shorter than asked");
    print("slept %lu ms\n", milliseconds);
    return 0;
}
