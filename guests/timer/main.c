/*
 * timer: the one interrupt of this machine comes while the guest computes, not before its deadline, not while it is
 * masked, and by the pending protocol as soon as it is unmasked. It ends an idle, and one taken back never comes.
 *
 * Nothing here is late: a host may take its time. What must happen is waited for, by the clock, up to PATIENCE.
 */
#include "guest.h"

#define TIMER_VECTOR 32
#define SOON (5 * MILLISECONDS)
#define PATIENCE (20 * SECONDS)

static volatile unsigned fired;
static volatile uint64_t fired_at;
static volatile bool masked_in_handler;

static void on_timer(struct exception_frame *frame)
{
    (void)frame;
    fired_at = clock_now();
    masked_in_handler = call_page()->interrupts_masked;
    fired++;
}

static uint64_t arm(uint64_t delay)
{
    uint64_t deadline = clock_now() + delay;
    call_timer(deadline, TIMER_VECTOR);
    return deadline;
}

static void check_fires_while_computing(void)
{
    uint64_t deadline = arm(SOON);
    while (fired == 0)
        check(clock_now() < deadline + PATIENCE, "the timer fires");
    /* A host's clock and the TSC may differ by a little: a part in a hundred. */
    check(fired_at + SOON / 100 >= deadline, "the timer fires after its deadline");
    check(masked_in_handler, "interrupts are masked in the handler");
    check(call_page()->interrupts_masked == 0, "interrupts are unmasked behind the handler");
}

static void check_mask(void)
{
    fired = 0;
    interrupts_mask();
    uint64_t deadline = arm(SOON);
    while (!interrupts_are_pending())
        check(clock_now() < deadline + PATIENCE, "a masked interrupt is made known as pending");
    call_poll(0, 0);
    check(fired == 0, "a masked interrupt does not come");
    interrupts_unmask();
    check(fired == 1, "the interrupt comes with unmasking");
    check(!interrupts_are_pending(), "nothing is pending behind it");
    interrupts_mask();
    interrupts_unmask();
    check(fired == 1, "the interrupt comes once");
}

static void check_ends_idle(void)
{
    fired = 0;
    arm(SOON);
    while (fired == 0)
        call_poll(SWIFTLET_NO_DEADLINE, 0);
    check(fired == 1, "the interrupt ends an idle without a deadline");
}

static void check_disarm(void)
{
    fired = 0;
    arm(50 * MILLISECONDS);
    call_timer(SWIFTLET_NO_DEADLINE - 1, TIMER_VECTOR); /* a far deadline takes the place of a near one */
    sleep_until(clock_now() + 100 * MILLISECONDS);
    check(fired == 0, "a timer that was put off does not fire");

    arm(50 * MILLISECONDS);
    call_timer(SWIFTLET_NO_DEADLINE, TIMER_VECTOR);
    sleep_until(clock_now() + 100 * MILLISECONDS);
    check(fired == 0, "a timer that was disarmed does not fire");
}

static void check_passed_deadline(void)
{
    fired = 0;
    uint64_t start = clock_now();
    call_timer(0, TIMER_VECTOR);
    while (fired == 0)
        check(clock_now() < start + PATIENCE, "a deadline that has passed fires at once");
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    exception_handle(TIMER_VECTOR, on_timer);
    check_fires_while_computing();
    check_mask();
    check_ends_idle();
    check_disarm();
    check_passed_deadline();
    print("timer: ok\n");
    return 0;
}
