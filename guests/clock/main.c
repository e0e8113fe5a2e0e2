/*
 * clock: the clock page and the time of day run at the same rate, the clock never goes back, and sleeping lasts at
 * least as long as asked.
 *
 * Both clocks are compared by intervals that must contain each other, so a guest that is not scheduled for a while
 * proves nothing wrong. The tolerance is for a host that corrects its time of day meanwhile.
 */
#include "guest.h"

/* A time of day, and the clock before and after asking for it. */
struct reading {
    uint64_t before, wall, after;
};

static struct reading read_both(void)
{
    struct reading reading;
    reading.before = clock_now();
    struct swiftlet_wall_time time = call_wall_time();
    reading.after = clock_now();
    check(time.nanoseconds < SECONDS, "nanoseconds are below one second");
    check(time.seconds > 1700000000, "the time of day is after 2023");
    reading.wall = (uint64_t)time.seconds * SECONDS + time.nanoseconds;
    return reading;
}

static void check_rate(void)
{
    struct reading first = read_both();
    sleep_until(first.after + 100 * MILLISECONDS);
    struct reading second = read_both();

    uint64_t passed = second.wall - first.wall;
    uint64_t shortest = second.before - first.after, longest = second.after - first.before;
    check(shortest >= 100 * MILLISECONDS, "the sleep lasted as long as asked");
    check(passed + passed / 10 >= shortest, "the time of day runs as fast as the clock");
    check(passed - passed / 10 <= longest, "the clock runs as fast as the time of day");
}

static void check_monotonic(void)
{
    uint64_t last = clock_now();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_now();
        check(now >= last, "the clock never goes back");
        last = now;
    }
}

/* The two ways to know the TSC's rate say the same, to a part in ten thousand. */
static void check_frequency(uint64_t frequency)
{
    const struct swiftlet_clock *clock = &call_page()->clock;
    uint64_t cycles = clock->tsc_shift >= 0 ? frequency << clock->tsc_shift : frequency >> -clock->tsc_shift;
    uint64_t nanoseconds = (uint64_t)(((unsigned __int128)cycles * clock->tsc_to_system_mul) >> 32);
    check(nanoseconds > SECONDS - SECONDS / 10000, "one second of cycles is one second on the clock, not less");
    check(nanoseconds < SECONDS + SECONDS / 10000, "one second of cycles is one second on the clock, not more");
}

int main(const struct swiftlet_boot_info *boot)
{
    check_frequency(boot->tsc_frequency);
    check_monotonic();
    check_rate();
    print("clock: ok\n");
    return 0;
}
