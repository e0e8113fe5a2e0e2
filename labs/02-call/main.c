/*
 * 02-call: asks the host for the time, by a call made by hand. Task: README.md.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    struct swiftlet_wall_time *answer = (struct swiftlet_wall_time *)boot->call_page;
    /* Here the guest should leave, and come back with the answer. */
    print("seconds %lu\n", (uint64_t)answer->seconds);
    return 0;
}
