/*
 * hello: a guest starts, its data is where it was linked or loaded, and its console is swiftlet's standard output.
 *
 * The Makefile builds it twice: linked at a fixed address, and as a static-PIE (build/hello-pie.elf). The array of
 * pointers is what a static-PIE must have relocated before this can print.
 */
#include "guest.h"

static const char *const words[] = {"Hello", "from", "ring", "3"};

int main(const struct swiftlet_boot_info *boot)
{
    /* Through volatile, or the compiler knows the words and needs no pointers. */
    const char *const volatile *word = words;
    print("%s %s %s %s!\n", word[0], word[1], word[2], word[3]);
    return boot->magic == SWIFTLET_BOOT_MAGIC ? 0 : 1;
}
