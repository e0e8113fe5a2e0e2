/*
 * How a guest that proves something says that the proof failed: one line on the console, exit status 1.
 */
#ifndef GUEST_CHECK_H
#define GUEST_CHECK_H

#include <stdbool.h>

/* Ends the guest unless this is so. claim says what was claimed, as in "the timer fires after its deadline". */
void check(bool holds, const char *claim);

#endif
