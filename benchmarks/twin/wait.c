/*
 * Where the twin's vCPU sleeps: one ppoll on what it waits for and the stop's eventfd, until a deadline.
 *
 * As Sources/VMM/MachineClock.swift and Paravirt/Poll.swift, Sources/Host/Wait.swift.
 */
#include "twin.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nanoseconds on the guest's clock. */
uint64_t guest_time(const struct clock *clock)
{
    uint64_t cycles = __builtin_ia32_rdtsc() - clock->host_start;
    if (cycles > UINT64_MAX >> 1)
        return 0;
    cycles = clock->shift < 0 ? cycles >> -clock->shift : cycles << clock->shift;
    return (uint64_t)((__uint128_t)cycles * clock->multiplier >> 32);
}

/* Nanoseconds until a deadline on that clock. */
uint64_t remaining(const struct clock *clock, uint64_t deadline)
{
    if (deadline == NONE)
        return NONE;
    uint64_t now = guest_time(clock);
    return deadline <= now ? 0 : deadline - now;
}

/* Ready events of two descriptors (bits 0 and 1). */
int wait_for(int fd, short events, int stop, uint64_t nanoseconds)
{
    struct pollfd set[] = {{fd, events, 0}, {stop, POLLIN, 0}, {-1, 0, 0}};
    struct timespec limit = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    if (syscall(SYS_ppoll, set, 3, nanoseconds == NONE ? NULL : &limit, NULL, 0) <= 0)
        return 0;
    return (set[0].revents != 0) | (set[1].revents != 0) << 1;
}

/* Waits for the console, a deadline, the guest's timer or a stop. */
enum sleep_end wait_for_events(struct machine *machine, uint32_t events, uint64_t deadline)
{
    uint32_t *mask = interrupt_word(machine, SWIFTLET_CALL_PAGE_INTERRUPTS_MASKED);
    uint64_t timer = __atomic_load_n(mask, __ATOMIC_ACQUIRE) ? NONE : machine->timer_deadline;
    for (;;) {
        uint64_t left = remaining(&machine->clock, deadline < timer ? deadline : timer);
        if (events == 0 && left == 0)
            return timer < deadline ? INTERRUPTED : PASSED;
        int ready = wait_for(events ? STDIN_FILENO : -1, POLLIN, machine->stop, left);
        if (stop_signal(machine))
            return PASSED;
        if (ready & 1)
            return READY;
        if (left == 0)
            return timer < deadline ? INTERRUPTED : PASSED;
    }
}
