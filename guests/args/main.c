/*
 * args: everything after IMAGE on swiftlet's command line is the guest's, also what looks like an option of swiftlet.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    const char *line = (const char *)boot->command_line;
    check(strlen(line) == boot->command_line_size, "command_line_size is the length of the command line");
    print("%s\n", line);
    return 0;
}
