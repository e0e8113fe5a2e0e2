/*
 * ring-log: writes to the console by as many rings as there can be, a line each; sleeps until an answer comes, again and
 * again; and ends without waiting for its last lines, which are written all the same. Declares the console and nothing
 * else, so nothing is attached: rings are there, and are made after the start, even where no option speaks of devices.
 */
#include "guest.h"

DECLARE_DEVICE(console_note, SWIFTLET_DEVICE_CONSOLE, "console");

#define ENTRIES 8u

#define ROUNDS 1000u

static void submit(struct ring *ring, const char *text, uint32_t length, uint32_t id)
{
    struct swiftlet_ring_entry entry = {
        .operation = SWIFTLET_CONSOLE_WRITE,
        .device = device_find("console"),
        .buffer = (uint64_t)text,
        .length = length,
        .id = id,
    };
    ring_submit(ring, &entry);
    ring_kick(ring);
}

static void submit_line(struct ring *ring, uint32_t id)
{
    static const char text[] = "by ring\n";
    submit(ring, text, sizeof text - 1, id);
}

/* Writes one line and waits until it is written. */
static void write_line(struct ring *ring, uint32_t id)
{
    struct swiftlet_ring_completion completion;
    submit_line(ring, id);
    ring_wait(ring, &completion);
    check(completion.id == id && completion.result == 0, "a line is written");
}

/* The look for an answer and the sleep that follows race with the answer: none may be lost between them. */
static void sleep_for_answers(struct ring *ring)
{
    struct swiftlet_ring_completion completion;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        submit(ring, "", 0, round);
        while (!ring_take(ring, &completion)) {
            uint64_t deadline = clock_now() + 20 * SECONDS;
            call_poll(deadline, SWIFTLET_POLL_RING(ring->number));
            check(clock_now() < deadline, "an answer ends a sleep");
        }
    }
}

int main(const struct swiftlet_boot_info *boot)
{
    static struct ring rings[SWIFTLET_RINGS_MAX];
    (void)boot;
    for (uint32_t i = 0; i < SWIFTLET_RINGS_MAX; i++)
        ring_make(&rings[i], ENTRIES, 0);
    for (uint32_t i = 0; i < SWIFTLET_RINGS_MAX; i++)
        write_line(&rings[i], i);
    sleep_for_answers(&rings[0]);
    for (uint32_t i = 0; i < ENTRIES; i++)
        submit_line(&rings[1], i);
    return 0;
}
