/*
 * 05-exits: prints as many lines as the command line says, at an exit each. Beat that. Task: README.md.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    uint64_t lines = argument_number(0, 1);
    for (uint64_t line = 1; line <= lines; line++)
        print("line %lu\n", line);
    return 0;
}
