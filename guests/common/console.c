/*
 * The console by calls: what console.h promises, but for the formatting. native.c is the other implementation of this.
 * Read next: print.c.
 */
#include "guest.h"

void console_write(const void *bytes, size_t length)
{
    call_console_write(bytes, length);
}

/* An interrupt ends the call as a deadline does: then it waits again. */
size_t console_read(void *buffer, size_t length)
{
    int64_t result;
    do
        result = call_console_read(buffer, length, SWIFTLET_NO_DEADLINE);
    while (result == SWIFTLET_TIMED_OUT);
    return (size_t)result;
}
