/*
 * Shows: a Solo5 unikernel runs, is given its arguments, and its status is the run's.
 *
 * "exit N" as arguments halts with N. Read next: ../hvt-calls/main.c.
 */
#include "hvt.h"

HVT_NO_DEVICES;

int hvt_main(const struct hvt_boot_info *info)
{
    hvt_puts("Hello from ring 0!\n");
    const char *line = info->command_line;
    int status = 0;
    if (line[0] == 'e' && line[1] == 'x' && line[2] == 'i' && line[3] == 't' && line[4] == ' ') {
        for (line += 5; *line >= '0' && *line <= '9'; line++)
            status = 10 * status + *line - '0';
        return status;
    }
    if (*line) {
        hvt_puts(line);
        hvt_puts("\n");
    }
    return 0;
}
