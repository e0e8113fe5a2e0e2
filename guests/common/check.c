/*
 * The implementation of check.h.
 */
#include "guest.h"

void check(bool holds, const char *claim)
{
    if (holds)
        return;
    print("FAILED: %s\n", claim);
    call_exit(1);
}
