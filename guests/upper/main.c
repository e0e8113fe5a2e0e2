/*
 * upper: a function in a guest. It says that it is ready, then reads its input to its end, writes it in upper case, and
 * exits. Saved at that point it is what a pool's examples call (docs/library.md).
 */
#include "guest.h"

static void raise(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] -= 'a' - 'A';
}

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    static char buffer[4096];
    call_snapshot();
    size_t length;
    while ((length = console_read(buffer, sizeof buffer)) > 0) {
        raise(buffer, length);
        console_write(buffer, length);
    }
    return 0;
}
