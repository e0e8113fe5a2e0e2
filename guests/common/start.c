/*
 * From the entry point to main, and from main's result to the machine's end.
 *
 * A separate file from start.S because all that is left to do can be said in C. Read next: calls.h.
 */
#include "guest.h"

const struct swiftlet_boot_info *boot_info;

_Noreturn void start_c(const struct swiftlet_boot_info *boot);

_Noreturn void start_c(const struct swiftlet_boot_info *boot)
{
    boot_info = boot;
    call_exit((uint64_t)main(boot));
}
