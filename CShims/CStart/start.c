/*
 * Two things that the Swift runtime does before main() and that a program which lives for a millisecond can do without.
 *
 * Each definition here stands in for an object of libswiftCore.a, so that the linker does not take that one in. In
 * a dynamically linked build they change nothing that we use. It saves 55 us of 1.4 ms (make bench, startup). Should a
 * later toolchain need another symbol of these objects, linking fails with "multiple definition": look here then.
 */

#include <stdbool.h>

#include "cstart.h"

/*
 * CommandLine.cpp finds argv by reading /proc/self/maps for the stack and searching it. glibc hands argv to every
 * constructor, in static programs too.
 */
static int count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int argc, char **argv)
{
    count = argc;
    arguments = argv;
}

char **_swift_stdlib_getUnsafeArgvArgc(int *argc)
{
    *argc = count;
    return arguments;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **argv, int argc)
{
    arguments = argv;
    count = argc;
}

/*
 * Backtrace.cpp looks in nine places for the program swift-backtrace, which is not where a static executable is
 * installed. All settings zero is "off"; the real struct has 88 bytes.
 */
char _swift_backtraceSettings[256];

bool _swift_backtrace_isThunkFunction(const char *name)
{
    (void)name;
    return false;
}
