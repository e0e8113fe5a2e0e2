/*
 * fault-breakpoint: a breakpoint of the guest's own ends it, for exception 3 is the debugger's: in two bytes (INT with 3), or with
 * "short" in one (INT3).
 *
 * Swiftlet steps and breaks by the same exception (docs/gdb.md): whose it is must be told apart.
 */
#include "guest.h"

int main(const struct swiftlet_boot_info *boot)
{
    (void)boot;
    print("a breakpoint\n");
    if (argument_is(0, "short"))
        __asm__ volatile("int3" ::: "memory");
    else
        __asm__ volatile(".byte 0xcd, 3" ::: "memory");
    print("went on\n");
    return 1;
}
