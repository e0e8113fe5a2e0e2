/*
 * timer-lateness: how long after its deadline the guest's timer is. Arms it N times (argument; 100) and computes until the
 * handler runs; prints nanoseconds from each deadline to the handler's first act, in one line.
 *
 * What lies between: the host's timer, its signal to the vCPU's thread, the way out of the guest, the VMM, an interrupt, the
 * runtime's entry of a handler (exceptions.S). Nothing is expected here: the guest timer checks that the timer works.
 */
#include "guest.h"

#define TIMER_VECTOR 32
#define DELAY (100 * MICROSECONDS)

static volatile uint64_t fired_at;

static void on_timer(struct exception_frame *frame)
{
    fired_at = clock_now();
    (void)frame;
}

static int64_t lateness(void)
{
    fired_at = 0;
    uint64_t deadline = clock_now() + DELAY;
    call_timer(deadline, TIMER_VECTOR);
    while (fired_at == 0)
        ;
    return (int64_t)(fired_at - deadline);
}

int main(const struct swiftlet_boot_info *boot)
{
    static int64_t samples[NUMBERS_MAXIMUM];
    (void)boot;
    uint64_t count = argument_number(0, 100);
    check(count > 0 && count <= NUMBERS_MAXIMUM, "1 to 10000 samples were asked for");
    exception_handle(TIMER_VECTOR, on_timer);
    for (uint64_t i = 0; i < count; i++)
        samples[i] = lateness();
    print_numbers("lateness", samples, count);
    return 0;
}
