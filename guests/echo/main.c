/*
 * echo: reads the console and writes back what it read, until the end of input. A read gives what there is and waits
 * only for the first byte, so this works for a person who types as well as for a file.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    static char buffer[4096];
    size_t length;
    while ((length = console_read(buffer, sizeof buffer)) > 0)
        console_write(buffer, length);
    return 0;
}
