/*
 * obey: says that it is ready, then does what the first word of its input says: so a request to `swiftlet serve` decides
 * what becomes of its guest.
 *
 *   exit N     exits with N             spin      computes for ever
 *   write N    writes N lines           crash     reads a null pointer
 *   who        which clone it is, of how many, and which life
 */
#include "guest.h"

static char input[4096];

static size_t read_all(void)
{
    size_t length = 0, read;
    while (length < sizeof input - 1 && (read = console_read(input + length, sizeof input - 1 - length)) > 0)
        length += read;
    return length;
}

static bool begins(const char *word)
{
    return memcmp(input, word, strlen(word)) == 0;
}

static unsigned number(void)
{
    unsigned value = 0;
    for (const char *c = input; *c; c++)
        if (*c >= '0' && *c <= '9')
            value = value * 10 + (unsigned)(*c - '0');
    return value;
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    call_snapshot();
    read_all();
    if (begins("exit"))
        return (int)number();
    if (begins("spin"))
        for (;;)
            __asm__ volatile("pause");
    if (begins("crash"))
        return *(volatile char *)0;
    if (begins("who"))
        print("clone %u of %u, generation %u\n", call_page()->clone, call_page()->clones, call_page()->generation);
    if (begins("write"))
        for (unsigned lines = number(); lines > 0; lines--)
            print("a line of some length, number %u\n", lines);
    return 0;
}
