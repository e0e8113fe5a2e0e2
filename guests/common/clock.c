/*
 * Reading the pvclock of the call page (swiftlet_call_page.h has its formula) and sleeping by it.
 */
#include "guest.h"

uint64_t clock_now(void)
{
    const volatile struct swiftlet_clock *clock = &call_page()->clock;
    for (;;) {
        uint32_t version = clock->version;
        uint64_t delta = clock_cycles() - clock->tsc_timestamp;
        int shift = clock->tsc_shift;
        delta = shift >= 0 ? delta << shift : delta >> -shift;
        /* 64 times 32 bits does not fit 64 bits after a second or so: hence 128. */
        uint64_t elapsed = (uint64_t)(((unsigned __int128)delta * clock->tsc_to_system_mul) >> 32);
        uint64_t now = clock->system_time + elapsed;
        if (version % 2 == 0 && version == clock->version)
            return now;
    }
}

void sleep_until(uint64_t deadline)
{
    while (clock_now() < deadline)
        call_poll(deadline, 0);
}
