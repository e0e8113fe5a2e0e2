/*
 * fault-bad-buffer: a buffer that does not lie in guest memory, all of it, is a bug of the guest, whatever the
 * numbers: the argument says which lie to tell. The VMM must not be led astray by sums that wrap around.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    static const char text[] = "text";
    const char *buffer = text;
    uint64_t length = sizeof text;

    if (argument_is(0, "outside")) {
        buffer = (const char *)(boot->memory_size + (1ul << 40));
    } else if (argument_is(0, "across-end")) {
        buffer = (const char *)(boot->memory_size - 2);
    } else if (argument_is(0, "wrapping")) {
        buffer = (const char *)0xfffffffffffffffe;
    } else if (argument_is(0, "huge")) {
        length = 0xffffffffffffffff;
    } else if (argument_is(0, "machine")) {
        buffer = (const char *)0x1000; /* the machine's own pages are not the guest's memory */
    } else {
        print("which: outside, across-end, wrapping, huge or machine\n");
        return 2;
    }
    call_console_write(buffer, length);
    print("went on\n");
    return 1;
}
