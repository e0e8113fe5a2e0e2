/*
 * ring-log: writes to the console by a ring. Declares the console and nothing else, so nothing is attached: rings are
 * there, and are made after the start, even where no option speaks of devices.
 */
#include "guest.h"

DECLARE_DEVICE(console_note, SWIFTLET_DEVICE_CONSOLE, "console");

#define ENTRIES 8u

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    struct ring ring;
    static const char text[] = "by ring\n";
    struct swiftlet_ring_entry entry = {
        .operation = SWIFTLET_CONSOLE_WRITE,
        .device = device_find("console"),
        .buffer = (uint64_t)text,
        .length = sizeof text - 1,
    };
    ring_make(&ring, ENTRIES);
    for (entry.id = 0; entry.id < 3; entry.id++) {
        struct swiftlet_ring_completion completion;
        ring_submit(&ring, &entry);
        ring_kick(&ring);
        ring_wait(&ring, &completion);
        check(completion.id == entry.id && completion.result == 0, "a line is written");
    }
    return 0;
}
