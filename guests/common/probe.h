/*
 * May this address be read, written, executed? The answer comes from trying: a page fault is caught and told.
 *
 * This is how a guest proves what its page tables do. A kernel's copy_from_user works the same way.
 */
#ifndef GUEST_PROBE_H
#define GUEST_PROBE_H

#include <stdint.h>

#define PROBE_NO_FAULT (-1)

/* PROBE_NO_FAULT, or the page fault's error code. The first use installs the handler of vector 14. */
int64_t probe_read(uint64_t address);
int64_t probe_write(uint64_t address); /* writes a zero byte */
int64_t probe_execute(uint64_t address); /* calls it: there must be a function that returns */

#endif
