/*
 * ring-log: writes to the console by as many rings as there can be, a line each. Declares the console and nothing else,
 * so nothing is attached: rings are there, and are made after the start, even where no option speaks of devices.
 */
#include "guest.h"

DECLARE_DEVICE(console_note, SWIFTLET_DEVICE_CONSOLE, "console");

#define ENTRIES 8u

/* Writes one line and waits until it is written. */
static void write_line(struct ring *ring, uint32_t id)
{
    static const char text[] = "by ring\n";
    struct swiftlet_ring_completion completion;
    struct swiftlet_ring_entry entry = {
        .operation = SWIFTLET_CONSOLE_WRITE,
        .device = device_find("console"),
        .buffer = (uint64_t)text,
        .length = sizeof text - 1,
        .id = id,
    };
    ring_submit(ring, &entry);
    ring_kick(ring);
    ring_wait(ring, &completion);
    check(completion.id == id && completion.result == 0, "a line is written");
}

int main(const struct swiftlet_boot_info *boot)
{
    static struct ring rings[SWIFTLET_RINGS_MAX];
    (void)boot;
    for (uint32_t i = 0; i < SWIFTLET_RINGS_MAX; i++)
        ring_make(&rings[i], ENTRIES, 0);
    for (uint32_t i = 0; i < SWIFTLET_RINGS_MAX; i++)
        write_line(&rings[i], i);
    return 0;
}
