/*
 * 01-first, solved: all that a guest is told lies in boot info.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    print("%s, you have %lu MiB.\n", (const char *)boot->command_line, boot->memory_size >> 20);
    return 0;
}
