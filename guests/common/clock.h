/*
 * Time: nanoseconds since the machine started, read without an exit; and TSC cycles, for measuring.
 */
#ifndef GUEST_CLOCK_H
#define GUEST_CLOCK_H

#include <stdint.h>

#define MICROSECONDS 1000ul
#define MILLISECONDS 1000000ul
#define SECONDS 1000000000ul

static inline uint64_t clock_cycles(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* ns on the call page's clock: the one that all deadlines are given in. */
uint64_t clock_now(void);

/* Idles until then, at the cost of an exit, and of one more for each interrupt meanwhile. */
void sleep_until(uint64_t deadline);

#endif
