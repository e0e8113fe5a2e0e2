/*
 * ring-interrupt: a ring's completions interrupt a guest that computes, that waits for the clock, or that holds interrupts
 * back for a while; two rings' interrupts do not take each other's place; and who does not want any gets none.
 *
 * What must happen is waited for, by the clock, up to PATIENCE.
 */
#include "guest.h"

DECLARE_DEVICE(console_note, SWIFTLET_DEVICE_CONSOLE, "console");

#define ENTRIES 8u
#define FIRST_VECTOR 40
#define ROUNDS 50u
#define PATIENCE (20 * SECONDS)

static struct ring rings[2];
static volatile unsigned interrupts[2], taken[2];

static void on_ring(struct exception_frame *frame)
{
    struct swiftlet_ring_completion completion;
    unsigned index = (unsigned)frame->vector - FIRST_VECTOR;
    interrupts[index]++;
    while (ring_take(&rings[index], &completion)) {
        check(completion.result == 0, "an empty line is written");
        taken[index]++;
    }
}

/* An operation that leaves nothing behind. */
static void submit(struct ring *ring)
{
    struct swiftlet_ring_entry entry = {
        .operation = SWIFTLET_CONSOLE_WRITE, .device = device_find("console"), .buffer = (uint64_t) "", .length = 0};
    ring_submit(ring, &entry);
    ring_kick(ring);
}

static void await(const char *what, unsigned index, unsigned count)
{
    uint64_t deadline = clock_now() + PATIENCE;
    while (taken[index] != count)
        check(clock_now() < deadline, what);
}

static void check_computing(void)
{
    for (unsigned round = 1; round <= ROUNDS; round++) {
        submit(&rings[0]);
        await("a completion interrupts a computation", 0, round);
    }
    check(interrupts[0] == ROUNDS && interrupts[1] == 0, "one interrupt for each completion");
}

/* An interrupt that comes between the look and the wait ends no wait: each has a deadline, which few may need. */
static void check_idle(void)
{
    unsigned late = 0;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        submit(&rings[0]);
        while (taken[0] != ROUNDS + round) {
            uint64_t deadline = clock_now() + SECONDS;
            call_poll(deadline, 0);
            late += clock_now() >= deadline;
            check(late <= ROUNDS / 10, "a completion interrupts a wait");
        }
    }
}

static void check_masked(void)
{
    uint64_t deadline = clock_now() + PATIENCE;
    taken[0] = taken[1] = 0;
    interrupts_mask();
    submit(&rings[0]);
    submit(&rings[1]);
    while (!interrupts_are_pending())
        check(clock_now() < deadline, "a masked interrupt is made known as pending");
    uint64_t until = clock_now() + 20 * MILLISECONDS;
    call_poll(until, 0);
    check(clock_now() + MILLISECONDS >= until, "a masked interrupt ends no wait");
    check(taken[0] + taken[1] == 0, "a masked interrupt does not come");
    interrupts_unmask();
    await("both rings' interrupts come with unmasking", 0, 1);
    await("both rings' interrupts come with unmasking", 1, 1);
}

static void check_unwanted(void)
{
    struct swiftlet_ring_completion completion;
    unsigned before = interrupts[0];
    ring_interrupts(&rings[0], false);
    submit(&rings[0]);
    ring_wait(&rings[0], &completion);
    call_poll(0, 0);
    check(interrupts[0] == before, "who does not want an interrupt gets none");
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    for (uint32_t i = 0; i < 2; i++) {
        exception_handle(FIRST_VECTOR + i, on_ring);
        ring_make(&rings[i], ENTRIES, FIRST_VECTOR + i);
        ring_interrupts(&rings[i], true);
    }
    check_computing();
    check_idle();
    check_masked();
    check_unwanted();
    print("ring-interrupt: ok\n");
    return 0;
}
